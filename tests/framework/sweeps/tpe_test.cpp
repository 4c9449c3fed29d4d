// What tpe proposes of histories that are known.
#include <cmath>

#include "framework/config/yaml.h"
#include "framework/sweeps/options.h"
#include "tests/framework/config/support.h"

namespace vitrine {
namespace {

using State = Observation::State;
using Points = std::vector<SearchPoint>;

std::shared_ptr<Searcher> tpe(const std::string& options = "") {
  Choice<Searcher> choice("tpe");
  Problems problems;
  choice.read(parse_yaml("method: {type: tpe" + options + "}", "a.yaml").children[0], "method",
              problems);
  REQUIRE(problems.empty());
  return choice.create({});
}

Observation known(std::vector<std::optional<double>> point, double loss) {
  return {std::move(point), State::kKnown, loss, 0};
}

// Of ten that were drawn, the fourth was by far the best.
std::vector<Observation> ten() {
  std::vector<Observation> out;
  for (int i = 0; i < 10; ++i) {
    const double share = 0.05 + 0.1 * i;
    out.push_back(known({share}, i == 3 ? 0 : 1 + i));
  }
  return out;
}

double mean_distance(const Points& points, double from) {
  double sum = 0;
  for (const SearchPoint& point : points) sum += std::abs(*point[0] - from);
  return sum / static_cast<double>(points.size());
}

const std::vector<Dimension> kNumber = {{}};

// The first proposals of many seeds.
Points firsts(const Searcher& searcher, const std::vector<Dimension>& dimensions,
              const std::vector<Observation>& seen) {
  Points out;
  for (uint64_t seed = 0; seed < 200; ++seed)
    out.push_back(searcher.propose(dimensions, seen, seed).at(0));
  return out;
}

}  // namespace

TEST_CASE("tpe proposes what lies near the good and far from the bad") {
  const auto searcher = tpe();
  CHECK(searcher->startup() == 10);
  CHECK(searcher->propose(kNumber, ten(), 1).size() == 24);
  CHECK(mean_distance(firsts(*searcher, kNumber, ten()), 0.35) < 0.1);
  // With nothing known there is nothing to prefer.
  const double anywhere = mean_distance(firsts(*searcher, kNumber, {}), 0.35);
  CHECK(anywhere > 0.2);
}

TEST_CASE("the same seed and the same history give the same proposals, bit for bit") {
  const auto searcher = tpe();
  CHECK(searcher->propose(kNumber, ten(), 7) == tpe()->propose(kNumber, ten(), 7));
  CHECK(searcher->propose(kNumber, ten(), 7) != searcher->propose(kNumber, ten(), 8));
  auto other = ten();
  other[5].loss = -1;  // another is the best one
  CHECK(searcher->propose(kNumber, ten(), 7) != searcher->propose(kNumber, other, 7));
}

TEST_CASE("a trial that failed counts as the worst") {
  const auto searcher = tpe();
  auto failed = ten();
  failed[3].state = State::kFailed;  // however small what it had
  // The first is the best then, as if that one had come to the largest loss.
  auto worst = ten();
  worst[3].loss = 1e9;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(searcher->propose(kNumber, failed, seed) == searcher->propose(kNumber, worst, seed));
  }
  for (Observation& one : failed) one.state = State::kFailed;
  CHECK(searcher->propose(kNumber, failed, 1).size() == 24);
}

TEST_CASE("what is proposed while others run lies elsewhere") {
  const auto searcher = tpe();
  auto running = ten();
  const double alone = mean_distance(firsts(*searcher, kNumber, running), 0.35);
  for (int i = 0; i < 3; ++i) running.push_back({{0.35}, State::kRunning, 0, 0});
  const double beside = mean_distance(firsts(*searcher, kNumber, running), 0.35);
  CHECK(beside > 1.5 * alone);
  // It counts as bad, and not as one of those of which a tenth is good.
  auto bad = ten();
  for (int i = 0; i < 3; ++i) bad.push_back({{0.35}, State::kFailed, 0, 0});
  CHECK(searcher->propose(kNumber, running, 3) != searcher->propose(kNumber, ten(), 3));
}

TEST_CASE("of trials that were stopped early the one that went further is the better") {
  const auto searcher = tpe();
  auto seen = ten();
  for (Observation& one : seen) one.epochs = 1;
  auto further = seen;
  further[8].epochs = 3;
  CHECK(mean_distance(firsts(*searcher, kNumber, seen), 0.35) < 0.1);
  CHECK(mean_distance(firsts(*searcher, kNumber, further), 0.85) < 0.15);
}

TEST_CASE("choices, whole numbers and what depends on a choice are proposed together") {
  // One of three kinds; the second has a rate, the third one of four whole numbers.
  std::vector<Dimension> dimensions(3);
  dimensions[0] = {.is_choice = true, .values = 3};
  dimensions[1] = {.parent = 0, .branch = 1};
  dimensions[2] = {.values = 4, .parent = 0, .branch = 2};
  std::vector<Observation> seen;
  for (int i = 0; i < 8; ++i) {
    seen.push_back(known({1 / 6.0, {}, {}}, 20));
    seen.push_back(known({0.5, 0.0625 + 0.125 * i, {}}, i == 3 || i == 4 ? -5 : 10));
    seen.push_back(known({5 / 6.0, {}, 0.125 + 0.25 * (i % 4)}, 30));
  }
  size_t second = 0, near = 0;
  for (const SearchPoint& point : firsts(*tpe(), dimensions, seen)) {
    const uint64_t kind = dimensions[0].index(*point[0]);
    CHECK(point[1].has_value() == (kind == 1));
    CHECK(point[2].has_value() == (kind == 2));
    if (point[2]) CHECK(std::fmod(*point[2], 0.25) == 0.125);  // the middle of what stands for one
    second += kind == 1;
    near += kind == 1 && std::abs(*point[1] - 0.5) < 0.2;
  }
  CHECK(second > 150);
  CHECK(near > 100);
}

TEST_CASE("whole numbers by orders of magnitude have the shares that drawing gives them") {
  // 1, 2, ..., 7 of a logarithmic range.
  const Dimension dimension = {.values = 7, .log_offset = 1};
  CHECK(dimension.index(0) == 0);
  CHECK(dimension.index(0.999999) == 6);
  CHECK(dimension.shares(0).first == 0);
  CHECK(dimension.shares(0).second == std::log(2) / std::log(8));  // from 1 to 2, of 1 to 8
  CHECK(dimension.shares(6).second == 1);
  for (uint64_t i = 0; i < 7; ++i) {
    const auto [low, high] = dimension.shares(i);
    CHECK(dimension.index((low + high) / 2) == i);
  }
}

}  // namespace vitrine
