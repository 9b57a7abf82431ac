// update_report.h - what an update of a language model did, for whoever shows or keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kani::train {

/// What an update did (training.md 14.10).
struct UpdateReport {
  int64_t update = 0;  // its number, from 1
  int64_t total = 0;
  double epoch = 0;             // passes over the data so far
  double loss = 0;              // mean over targets, nats
  std::optional<double> guide;  // penalty of guided attention while it is on, 0 to 1
  double grad_norm = 0;
  double learning_rate = 0;
  int64_t documents = 0;  // clips
  int64_t elements = 0;
  int64_t targets = 0;
  std::vector<double> codebook_loss;  // mean over targets of each; every tenth update
  bool clipped = false;               // the norm was above max_grad_norm
  bool skipped = false;
  std::string skip_reason;
  std::vector<std::string> clips;         // of a skipped update: what this process had of it
  double loss_score = 0, norm_score = 0;  // deviations from the mean of the last updates
  double mean_square_length = 0;  // sum of squared document lengths / elements: attention's work
  double fill = 1;                // real elements of those that the rows could hold
  // Seconds of this update on this process, and of them:
  double seconds = 0;
  double data_seconds = 0;     // reading and putting together
  double forward_seconds = 0;  // loss included
  double backward_seconds = 0;
  double exchange_seconds = 0;  // waiting for other processes, what the backward pass did not hide
  double optimizer_seconds = 0;
  std::optional<double> device_temperature;  // of the GPU, degrees Celsius, where it tells
  int64_t device_peak_bytes = 0;  // most that tensors have held on the GPU so far; 0 on CPUs
};

}  // namespace kani::train
