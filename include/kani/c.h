/* c.h - the C door to libkani.  C11, fixed-width types, opaque handles, no exceptions across the
 * border.
 *
 *   kani_engine_params params; kani_engine_params_default(&params);
 *   kani_engine *engine = NULL;
 *   if (kani_engine_open(&params, &engine) != KANI_OK) puts(kani_last_error(NULL));
 *   kani_request request; kani_request_default(&request);
 *   request.text = "Hello.";
 *   kani_say(engine, &request, callback, user);
 *   kani_engine_close(engine);
 *
 * An engine may be used from several threads; calls on one engine wait for each other.  Texts are
 * UTF-8 and copied. Every struct begins with its size, set by its *_default() function, so that
 * fields can be added later. */
#ifndef KANI_C_H
#define KANI_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define KANI_API __attribute__((visibility("default")))
#else
#define KANI_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kani_status {
  KANI_OK = 0,
  KANI_DONE = 1, /* a stream has nothing more to say */
  KANI_ERR_INTERNAL = -1,
  KANI_ERR_INVALID_ARGUMENT = -2,
  KANI_ERR_BAD_INPUT = -3, /* broken model, voice, sound or text */
  KANI_ERR_NOT_FOUND = -4,
  KANI_ERR_CANNOT_WRITE = -5,
  KANI_ERR_UNSUPPORTED = -6,
  KANI_ERR_BUSY = -7,
  KANI_ERR_CANCELLED = -8, /* a callback or kani_stream_cancel() said stop */
  KANI_ERR_OUT_OF_MEMORY = -9
} kani_status;

typedef struct kani_engine kani_engine;
typedef struct kani_voice kani_voice;
typedef struct kani_stream kani_stream;

typedef struct kani_engine_params {
  uint32_t size;
  int32_t threads;       /* 0 = physical cores of one socket, at most 16 */
  const char *model;     /* folder; NULL = the default model */
  const char *codec;     /* .nemo file; NULL = the one beside the model */
  const char *device;    /* NULL = "auto" */
  int32_t check_tensors; /* not 0 = refuse NaN and infinity in weights */
  /* Folder of the encoder that makes voices from recordings; NULL = the one of the model's set or
   * in the hub's cache.  Looked at when the first voice is made. */
  const char *speaker_encoder;
} kani_engine_params;

/* NaN (doubles) and negative numbers (integers) mean "the model's default". */
typedef struct kani_request {
  uint32_t size;
  int32_t normalize_text; /* numbers, dates, symbols spelled out; default 1 */
  const char *text;
  const char *language;    /* tag of multilingual models; NULL: the voice's, else the model's */
  const kani_voice *voice; /* NULL = the model's default voice */
  double temperature, top_p, min_p, repetition_penalty;
  int32_t top_k, max_new_tokens;
  int64_t seed;              /* -1 = random */
  double speed;              /* 0.25 to 4, default 1 */
  double volume;             /* default 1 */
  double sentence_silence_s; /* default 0.2 */
  int32_t batch; /* sentences written at once, 1 to 64: the same sound, sooner; default 1 */
} kani_request;

/* n mono samples in [-1, 1] at `rate` Hz; is_last is 1 in the last call (n may then be 0).  Returns
 * 0 = go on, 1 = stop. */
typedef int (*kani_audio_callback)(const float *samples, size_t n, int rate, int is_last,
                                   void *user);

KANI_API const char *kani_version(void);
KANI_API const char *kani_status_string(kani_status status);
/* Message of the last failed call on this engine (NULL: of the last failed kani_engine_open or
 * kani_voice_save in this thread), valid until the next call on it from the same thread.  "" if
 * there was none. */
KANI_API const char *kani_last_error(const kani_engine *engine);

KANI_API void kani_engine_params_default(kani_engine_params *params);
KANI_API kani_status kani_engine_open(const kani_engine_params *params, kani_engine **engine);
KANI_API void kani_engine_close(kani_engine *engine);
KANI_API int kani_sample_rate(const kani_engine *engine);

/* A voice file, or the name of a voice of the model, the user or the system, or a mix of such:
 * "a(0.7)+b(0.3)". */
KANI_API kani_status kani_voice_load(kani_engine *engine, const char *path, kani_voice **voice);
/* The voice of n mono samples, full scale 1, at 8000 to 192000 Hz.  3 to 30 seconds of speech are
 * advised; of more the first 30 count.  Takes seconds with a real encoder. */
KANI_API kani_status kani_voice_from_audio(kani_engine *engine, const float *samples, size_t n,
                                           int rate, kani_voice **voice);
/* The voice of 1 to 100 sound files (WAV, FLAC, MP3, Ogg Vorbis or Opus) of one speaker: the mean
 * of theirs. */
KANI_API kani_status kani_voice_from_files(kani_engine *engine, const char *const *paths,
                                           size_t count, kani_voice **voice);
/* Into a file; its ending tells the format: .safetensors, .pt, .npy or .json. */
KANI_API kani_status kani_voice_save(const kani_voice *voice, const char *path);
KANI_API void kani_voice_free(kani_voice *voice);

KANI_API void kani_request_default(kani_request *request);
KANI_API kani_status kani_say(kani_engine *engine, const kani_request *request,
                              kani_audio_callback callback, void *user);

/* Text that arrives bit by bit; request->text is the first part and may be NULL.  One stream or
 * kani_say at a time makes sound; streams of one engine take turns. */
KANI_API kani_status kani_stream_open(kani_engine *engine, const kani_request *request,
                                      kani_stream **stream);
KANI_API kani_status kani_stream_push_text(kani_stream *stream, const char *text);
KANI_API kani_status kani_stream_flush(kani_stream *stream);
/* May be called from any thread while another is inside kani_stream_next. */
KANI_API kani_status kani_stream_cancel(kani_stream *stream);
/* The next samples, valid until the next call on this stream.  KANI_OK with *n = 0: waiting for
 * text.  KANI_DONE: all that was flushed is spoken. */
KANI_API kani_status kani_stream_next(kani_stream *stream, const float **samples, size_t *n);
KANI_API void kani_stream_close(kani_stream *stream);

#ifdef __cplusplus
}
#endif

#endif /* KANI_C_H */
