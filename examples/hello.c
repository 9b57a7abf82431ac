/* hello.c - speaks one sentence into hello.wav (32-bit float samples) with the C library.
 *   gcc hello.c $(pkg-config --cflags --libs kani) && ./a.out "Good morning." [MODEL] */
#include <stdio.h>

#include "kani/c.h"

static int write_samples(const float *samples, size_t n, int rate, int is_last, void *file) {
  (void)rate, (void)is_last;
  return fwrite(samples, sizeof *samples, n, file) != n; /* not 0 = stop */
}

static void write_header(FILE *file, uint32_t rate, uint32_t bytes) {
  /* RIFF, WAVE, fmt of 16 bytes: float, mono, rate, bytes a second, bytes and bits each; data */
  const uint32_t words[] = {0x46464952, bytes + 36, 0x45564157,   0x20746d66, 16,   3 | 1 << 16,
                            rate,       rate * 4,   4 | 32 << 16, 0x61746164, bytes};
  rewind(file);
  fwrite(words, sizeof words, 1, file);
}

int main(int argc, char **argv) {
  kani_engine_params params;
  kani_engine_params_default(&params);
  if (argc > 2) params.model = argv[2];
  kani_request request;
  kani_request_default(&request);
  request.text = argc > 1 ? argv[1] : "Hello, I am Kani.";

  kani_engine *engine = NULL;
  FILE *file = fopen("hello.wav", "wb");
  if (file == NULL) return perror("hello.wav"), 1;
  if (kani_engine_open(&params, &engine) != KANI_OK) return puts(kani_last_error(NULL)), 1;
  write_header(file, 0, 0); /* its place; the length is known at the end */
  const kani_status status = kani_say(engine, &request, write_samples, file);
  if (status != KANI_OK) puts(kani_last_error(engine));
  write_header(file, (uint32_t)kani_sample_rate(engine), (uint32_t)(ftell(file) - 44));
  kani_engine_close(engine);
  return fclose(file) != 0 || status != KANI_OK;
}
