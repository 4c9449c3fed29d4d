#include "framework/training/device_sum.h"

#include <cstring>

#include "framework/ranks/ranks.h"
#include "tests/framework/files/support.h"

// Which ranks add up on their GPUs. NCCL itself needs these.
namespace vitrine {
namespace {

// The first of two ranks; the other one tells its text.
class FirstOfTwo : public Ranks {
 public:
  explicit FirstOfTwo(std::string other) : other_(std::move(other)) {}

  size_t index() const override { return 0; }
  size_t count() const override { return 2; }
  const std::vector<std::string>& hosts() const override { return hosts_; }
  // Sizes of texts, then the texts.
  void gather(void* all, const std::vector<size_t>& starts) override {
    const uint64_t size = other_.size();
    const void* from = is_size_told_ ? static_cast<const void*>(other_.data()) : &size;
    std::memcpy(static_cast<char*>(all) + starts[1], from, starts[2] - starts[1]);
    is_size_told_ = true;
  }
  void broadcast(size_t, void*, size_t) override {}
  void send(size_t, const float*, size_t) override {}
  void receive(size_t, float*, size_t) override {}
  void finish() override {}
  void sum(float*, size_t) override {}
  void largest(int64_t*, size_t) override {}
  void fail(ExitCode, const std::string&) override {}
  void leave(int) override {}

 private:
  std::string other_;
  std::vector<std::string> hosts_ = {"node6", "node7"};
  bool is_size_told_ = false;
};

class Joined : public DeviceSum {
 public:
  explicit Joined(std::string how) : how(std::move(how)) {}
  void add_up(const Tensor&) override {}
  std::string how;
};

const Nccl kNccl = {[] { return std::string("0000:01:00.0"); },
                    [] { return std::string("the id"); },
                    [](size_t count, size_t index, const std::string& id) {
                      return std::unique_ptr<DeviceSum>(std::make_unique<Joined>(
                          std::to_string(index) + " of " + std::to_string(count) + " by " + id));
                    }};

std::string joined_with(const std::string& other, const Nccl* nccl = &kNccl) {
  FirstOfTwo ranks(other);
  const std::unique_ptr<DeviceSum> sum = join(ranks, nccl);
  return sum ? dynamic_cast<Joined&>(*sum).how : "on the CPU";
}

TEST_CASE("ranks add up on their GPUs where each has its own") {
  CHECK(joined_with("node7 0000:01:00.0") == "0 of 2 by the id");
  CHECK(joined_with("node6 0000:02:00.0") == "0 of 2 by the id");
  CHECK(joined_with("node6 0000:01:00.0") == "on the CPU");
  CHECK(joined_with("") == "on the CPU");
  CHECK(joined_with("node7 0000:01:00.0", nullptr) == "on the CPU");
}

TEST_CASE("one process, and a CPU, add up nothing") { CHECK(device_sum(at::kCPU) == nullptr); }

}  // namespace
}  // namespace vitrine
