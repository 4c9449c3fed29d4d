#include "framework/kernel/kernel.h"
#include "framework/model/recording.h"
#include "tests/models/agreement.h"
#include "tests/models/random_program.h"

// The two ways in which a group's numbers may lie.
namespace vitrine {
namespace {

// Outputs and gradients of a program by one layout.
struct Computed {
  std::vector<Tensor> outputs;
  Tensor gradients;
};

class Executed {
 public:
  Executed(Model& model, MemoryLayout layout)
      : recording_(record(model, {1, 4, 4})),
        kernel_(pruned(recording_.program, recording_.outputs)) {
    REQUIRE(recording_.is_recorded());
    kernel_.force_layout(layout);
    for (const Tensor& parameter : recording_.parameters) {
      binding_.values.push_back(parameter.const_data_ptr<float>());
      binding_.gradients.push_back(parameter.requires_grad() ? binding_.gradient_count
                                                             : Binding::kFrozen);
      if (parameter.requires_grad())
        binding_.gradient_count += static_cast<size_t>(parameter.numel());
    }
  }

  bool has_columns_layout() const {
    for (const Step& step : kernel_.program().steps) {
      if (!find_operation(step.operation).has_columns_layout()) return false;
    }
    return true;
  }

  Computed train(const Tensor& images, int threads) {
    const Tensor numbers = at::arange(100, 100 + images.size(0));
    Feed feed;
    feed.bytes = images.const_data_ptr<uint8_t>();
    feed.image_numbers = numbers.const_data_ptr<int64_t>();
    feed.seed = 5;
    feed.epoch = 2;
    Computed out;
    std::vector<float*> to;
    std::vector<float> seeds;
    const Program& program = kernel_.program();
    for (const size_t output : program.outputs) {
      const auto size = static_cast<int64_t>(program.steps[output].shape.size());
      out.outputs.push_back(at::empty({images.size(0), size}, at::kFloat));
      to.push_back(out.outputs.back().data_ptr<float>());
      seeds.push_back(1 + static_cast<float>(seeds.size()));
    }
    out.gradients = at::empty({static_cast<int64_t>(binding_.gradient_count)}, at::kFloat);
    kernel_.train(binding_, feed, static_cast<size_t>(images.size(0)), threads, to, seeds,
                  out.gradients.data_ptr<float>());
    return out;
  }

 private:
  Recording recording_;
  Kernel kernel_;
  Binding binding_;
};

}  // namespace

TEST_CASE("both layouts of memory give the same results, and each its bits for any threads") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    at::manual_seed(seed);
    const auto made = std::make_shared<OperationModel>(RandomProgram(seed));
    OperationModel& model = *made;
    Executed images(model, MemoryLayout::kImages), columns(model, MemoryLayout::kColumns);
    REQUIRE(columns.has_columns_layout());
    for (const int64_t batch : {1, 70, 300}) {
      CAPTURE(batch);
      const Tensor pixels = bytes_for(OperationModel::images(), batch);
      const Computed one = images.train(pixels, 1), other = columns.train(pixels, 1);
      check_outputs(other.outputs, one.outputs);
      CHECK(difference(other.gradients, one.gradients) <=
            kTolerance * std::max(largest(one.gradients), 1.0));
      for (const int threads : {2, 3}) {
        CHECK(same_bits(images.train(pixels, threads).gradients, one.gradients));
        CHECK(same_bits(columns.train(pixels, threads).gradients, other.gradients));
      }
    }
  }
}

}  // namespace vitrine
