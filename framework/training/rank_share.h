#pragma once

#include <ATen/core/Generator.h>

#include <utility>
#include <vector>

#include "framework/tensor.h"

// What libtorch computes of a batch in one of several ranks.
namespace vitrine {

// The images of a batch that this rank computes.
class RankShare {
 public:
  explicit RankShare(int64_t batch);

  // Those rows of what has one for each image.
  Tensor own(const Tensor& rows) const;
  // The same; of a batch with fewer images than ranks the first row stands in where there is none.
  Tensor own_or_one(const Tensor& rows) const;
  Tensor without_stand_in(const Tensor& rows) const;
  // float [own rows, ...] of each rank -> [batch, ...]
  Tensor gathered(const Tensor& own) const;
  // Sums gradients over all ranks (undefined: zero) and adds them to those of the parameters.
  void add_gradients(const std::vector<Tensor>& gradients,
                     const std::vector<Tensor>& parameters) const;

 private:
  int64_t batch_, first_, count_;
};

// The mean over ranks of buffers of floating-point numbers, such as running statistics.
void average_over_ranks(const std::vector<Tensor>& buffers);

// While it lives libtorch's generators, the CPU's and the device's, draw other numbers in each
// rank; afterwards the same again.
class OwnDraws {
 public:
  OwnDraws(bool is_wanted, c10::DeviceType device);
  OwnDraws(const OwnDraws&) = delete;
  OwnDraws& operator=(const OwnDraws&) = delete;
  ~OwnDraws();

 private:
  std::vector<std::pair<at::Generator, Tensor>> states_;  // empty where nothing is to be done
};

}  // namespace vitrine
