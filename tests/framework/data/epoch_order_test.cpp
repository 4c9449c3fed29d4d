#include "framework/data/epoch_order.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/equal.h>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sha256.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

std::string digest(const Tensor& order) {
  return sha256_hex(
      {static_cast<const char*>(order.contiguous().const_data_ptr()), order.nbytes()});
}

TEST_CASE("the order of each epoch is that of PyTorch's DataLoader") {
  const std::string path = VITRINE_SOURCE_DIR "/tests/golden/sampler.json";
  const auto golden = parse_json(read_file(path, 1 << 20), path);
  REQUIRE(golden["orders"].size() == 6);
  for (const auto& run : golden["orders"]) {
    const int64_t n = run["n"];
    INFO("seed " << run["seed"] << ", n " << n);
    at::manual_seed(run["seed"].get<uint64_t>());
    for (const auto& epoch : run["epochs"]) {
      const EpochOrder order = EpochOrder::draw(n);
      const Tensor first = order.indices(0, 10);
      CHECK(std::vector<int64_t>(first.data_ptr<int64_t>(), first.data_ptr<int64_t>() + 10) ==
            epoch["first"].get<std::vector<int64_t>>());
      CHECK(digest(order.indices(0, n)) == epoch["sha256"].get<std::string>());
    }
  }
}

TEST_CASE("an order is rebuilt from its seed without drawing") {
  at::manual_seed(5);
  const EpochOrder drawn = EpochOrder::draw(100);
  const Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  const EpochOrder rebuilt = EpochOrder::from_seed(drawn.seed(), 100);
  CHECK(at::equal(rebuilt.indices(0, 100), drawn.indices(0, 100)));
  CHECK(rebuilt.seed() == drawn.seed());
  CHECK(at::equal(at::detail::getDefaultCPUGenerator().get_state(), before));
}

TEST_CASE("the last batch is shorter, and none follows") {
  const EpochOrder order = EpochOrder::from_seed(0, 10);
  CHECK(order.size() == 10);
  CHECK(order.indices(0, 4).size(0) == 4);
  CHECK(order.indices(8, 4).size(0) == 2);
  CHECK(order.indices(12, 4).size(0) == 0);
}

}  // namespace
}  // namespace vitrine
