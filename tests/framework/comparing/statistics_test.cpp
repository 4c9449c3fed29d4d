#include "framework/comparing/statistics.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/files/file.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// Equal up to what the order of summing costs.
bool agrees(double got, const Json& wanted) {
  const double value = wanted.get<double>();
  return std::abs(got - value) <= 1e-11 * std::max(1e-3, std::abs(value));
}

bool agrees(const ConfidenceInterval& got, const Json& wanted) {
  return agrees(got.low, wanted.at(0)) && agrees(got.high, wanted.at(1));
}

Json golden(const std::string& part) {
  return Json::parse(read_file(VITRINE_SOURCE_DIR "/tests/golden/statistics.json", 1 << 20))
      .at(part);
}

TEST_CASE("mean, deviation and interval are SciPy's", "[reports]") {
  for (const Json& wanted : golden("spread")) {
    const Spread got = spread_of(wanted.at("values"));
    CAPTURE(got.n);
    CHECK(got.n == wanted.at("values").size());
    CHECK(agrees(got.mean, wanted.at("mean")));
    CHECK(agrees(got.deviation, wanted.at("deviation")));
    CHECK(agrees(got.interval, wanted.at("interval")));
  }
}

TEST_CASE("differences, their intervals and p values are SciPy's", "[reports]") {
  for (const char* test : {"paired", "welch"}) {
    for (const Json& wanted : golden(test)) {
      const auto difference = test[0] == 'p' ? paired_difference : welch_difference;
      const Difference got = difference(wanted.at("a"), wanted.at("b"));
      CAPTURE(test, wanted.at("a").size(), got.mean, got.p, wanted.at("p"));
      CHECK(agrees(got.mean, wanted.at("mean")));
      CHECK(agrees(got.interval, wanted.at("interval")));
      const double p = wanted.at("p");
      CHECK(std::abs(got.p - p) <= 1e-9 * p);
    }
  }
}

TEST_CASE("p values corrected after Holm are those of statsmodels", "[reports]") {
  for (const Json& wanted : golden("holm")) {
    for (const bool all_pairs : {false, true}) {
      const Json& corrected = wanted.at(all_pairs ? "all_pairs" : "corrected");
      const std::vector<double> got = holm(wanted.at("p"), all_pairs);
      REQUIRE(got.size() == corrected.size());
      for (size_t i = 0; i < got.size(); ++i) CHECK(agrees(got[i], corrected[i]));
    }
  }
  const std::vector<double> got = holm({NAN, 0.02, 0.03});
  CHECK(std::isnan(got[0]));
  CHECK(got[1] == 0.04);
  CHECK(got[2] == 0.04);
  CHECK(holm({}).empty());
  // Three groups against the best of four: factors 6, 5 and 4. A NaN is neither test nor group.
  CHECK(holm({0.25, 0.0078125, 0.015625}, true) == std::vector<double>{1, 0.046875, 0.078125});
  CHECK(holm({NAN, 0.0078125, 0.015625}, true)[2] == 0.03125);
  CHECK(holm({0.5}, true)[0] == 0.5);
  CHECK(holm({}, true).empty());
}

TEST_CASE("what few values cannot tell is NaN", "[reports]") {
  const Spread none = spread_of({});
  CHECK(none.n == 0);
  CHECK(std::isnan(none.mean));
  const Spread one = spread_of({0.25});
  CHECK(one.n == 1);
  CHECK(one.mean == 0.25);
  CHECK(std::isnan(one.deviation));
  CHECK(std::isnan(one.interval.low));
  CHECK(std::isnan(one.interval.high));
  for (const Difference& difference :
       {paired_difference({0.25}, {0.75}), welch_difference({0.25}, {0.5, 1.0}),
        welch_difference({0.0, 0.5}, {0.75})}) {
    CHECK(difference.mean == 0.5);
    CHECK(std::isnan(difference.interval.low));
    CHECK(std::isnan(difference.p));
  }
}

TEST_CASE("values without any spread have intervals that are points", "[reports]") {
  const Spread same = spread_of(std::vector<double>(10, 0.1));
  CHECK(same.mean == 0.1);
  CHECK(same.deviation == 0);
  CHECK(same.interval.low == 0.1);
  CHECK(same.interval.high == 0.1);
  const std::vector<double> a = {0.5, 0.5}, b = {0.75, 0.75}, c = {1, 2}, d = {1.25, 2.25};
  for (const Difference& apart :
       {paired_difference(a, b), welch_difference(a, b), paired_difference(c, d)}) {
    CHECK(apart.mean == 0.25);
    CHECK(apart.interval.low == 0.25);
    CHECK(apart.interval.high == 0.25);
    CHECK(apart.p == 0);
  }
  for (const Difference& none :
       {paired_difference(a, a), welch_difference(a, a), paired_difference(c, c)}) {
    CHECK(none.mean == 0);
    CHECK(none.interval.high == 0);
    CHECK(none.p == 1);
  }
}

}  // namespace
}  // namespace vitrine
