#include "framework/config/units.h"

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

template <class T>
std::string problem(const std::string& value, T* out = nullptr) {
  T read;
  Problems problems;
  read.read(parse_yaml("every: " + value, "a.yaml").children[0], "every", problems);
  if (out) *out = read;
  return problems.empty() ? "" : problems.text("a.yaml");
}

template <class T>
std::string rewritten(const std::string& value) {
  T read;
  CHECK(problem(value, &read) == "");
  return to_flow_yaml(read.write());
}

std::string wrong(const std::string& value, const std::string& message, const std::string& hint) {
  return "a.yaml:1:8: every: " + message + "\n    1 | every: " + value + "\n      |        ^" +
         (hint.empty() ? "" : " " + hint);
}

}  // namespace

TEST_CASE("a stretch of training", "[units]") {
  CHECK(rewritten<Interval>("1 epoch") == "1 epoch");
  CHECK(rewritten<Interval>("2") == "2 epochs");
  CHECK(rewritten<Interval>("0.5 epochs") == "0.5 epochs");
  CHECK(rewritten<Interval>("1_000 steps") == "1000 steps");
  CHECK(rewritten<Interval>("1 step") == "1 step");
  CHECK(rewritten<Interval>("10 min") == "10 min");
  CHECK(rewritten<Interval>("\"500 steps\"") == "500 steps");
  for (const char* value :
       {"often", "1.5 steps", "-1 epoch", "5 hours", "1epoch", "1  epoch", "inf epochs", "1e15"}) {
    CHECK(problem<Interval>(value) ==
          wrong(value,
                std::string("expected a stretch of training, got ") +
                    (std::string(value) == "1e15" ? "1e15" : '"' + std::string(value) + '"'),
                "written as 1 epoch, 500 steps or 10 min"));
  }
  CHECK(problem<Interval>("[1]") == wrong("[1]", "expected a stretch of training, got a list",
                                          "written as 1 epoch, 500 steps or 10 min"));
  CHECK(Interval::epochs(1.5).in_steps(469) == 704);
  CHECK(Interval::steps(500).in_steps(469) == 500);
  CHECK(Interval{10, Interval::Unit::kMinutes}.in_steps(469) == 0);
}

TEST_CASE("a count or a fraction", "[units]") {
  CHECK(rewritten<Amount>("5_000") == "5000");
  CHECK(rewritten<Amount>(".1") == "0.1");
  CHECK(Amount{0.1}.of(60000) == 6000);
  CHECK(Amount{1}.of(60000) == 1);
  for (const char* value : {"1.5", "-1", "inf"}) {
    CHECK(problem<Amount>(value) ==
          wrong(value, std::string("expected a count or a fraction, got ") + value,
                "a whole number such as 5000, or a fraction below 1 such as 0.1"));
  }
  CHECK(problem<Amount>("10%") ==
        wrong("10%", "expected a count or a fraction, got \"10%\"",
              "a whole number such as 5000, or a fraction below 1 such as 0.1"));
}

TEST_CASE("a path is written absolute", "[units]") {
  CHECK(rewritten<Path>("/data/./mnist/../x") == "/data/x");
  CHECK(rewritten<Path>("null") == "null");
  CHECK(rewritten<Path>("mnist") ==
        to_flow_yaml(Node::string((std::filesystem::current_path() / "mnist").string())));
  CHECK(problem<Path>("[a]") == wrong("[a]", "expected a path or null, got a list", ""));
}
