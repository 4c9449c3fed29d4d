#include <cstdlib>
#include <new>

#include "framework/config/yaml.h"
#include "framework/files/safetensors.h"
#include "framework/runs/annotations.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "tests/catch.h"
#include "tests/framework/runs/support.h"

// Memory that runs out at each allocation of readers and writers in turn, once and for ever. What
// is thrown is std::bad_alloc or an Error in words; what was on the disk is there still, and no
// temporary is left.
namespace vitrine {
namespace {

int64_t left = 0;  // allocations until one fails; 0: none does
bool for_ever = false;

void* allocate(std::size_t size) {
  if (left > 0 && --left == 0) {
    if (for_ever) left = 1;
    throw std::bad_alloc();
  }
  void* const out = std::malloc(size == 0 ? 1 : size);
  if (!out) throw std::bad_alloc();
  return out;
}

}  // namespace
}  // namespace vitrine

void* operator new(std::size_t size) { return vitrine::allocate(size); }
void* operator new[](std::size_t size) { return vitrine::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace vitrine {
namespace {

// Calls `act` until it succeeds, which it must, with one allocation more each time, and `check`
// after each. Gives how often it failed.
template <class Act, class Check>
int64_t fail_each(const Act& act, const Check& check) {
  int64_t failures = 0;
  for (const bool ever : {false, true}) {
    for (int64_t at = 1;; ++at) {
      bool failed = false;
      left = at;
      for_ever = ever;
      try {
        act();
      } catch (const std::bad_alloc&) {
        failed = true;
      } catch (const Error&) {
        failed = true;
      }
      left = 0;
      check(failed);
      if (!failed) break;
      ++failures;
    }
  }
  return failures;
}

const char* const kYaml =
    "name: a\nmodel: {type: vit, hidden_d: 8, list: [1, 2.5, text]}\ntraining:\n  epochs: 3\n";

TEST_CASE("a config is read whole or not at all") {
  const std::string whole = to_yaml(parse_yaml(kYaml, "a.yaml"));
  std::string text;
  CHECK(fail_each([&] { text = to_yaml(parse_yaml(kYaml, "a.yaml")); },
                  [&](bool failed) { CHECK((failed || text == whole)); }) > 20);
}

TEST_CASE("metrics are written whole or not at all") {
  const TemporaryFolder folder;
  const Folder run = Folder::open(folder.path());
  Metrics before, after;
  before.name = after.name = "a";
  after.history = {{{"epoch", 1}, {"step", 3}, {"train/loss", 1.5}}};
  const std::string old_text = before.text(), new_text = after.text();
  before.write(run / "metrics.json");
  CHECK(fail_each([&] { after.write(run / "metrics.json"); },
                  [&](bool failed) {
                    const std::string text = text_of(folder / "metrics.json");
                    CHECK((text == new_text || (failed && text == old_text)));
                    CHECK(run.names() == std::vector<std::string>{"metrics.json"});
                    before.write(run / "metrics.json");
                  }) > 20);
  CHECK(fail_each([&] { Metrics::read(run / "metrics.json"); }, [](bool) {}) > 20);
}

TEST_CASE("rows are appended whole or not at all") {
  const TemporaryFolder folder;
  MetricRows rows(folder / "metrics.jsonl");
  const Metrics::Object row = {{"kind", "step"}, {"step", 1}, {"epoch", 1}, {"train/loss", 2.5}};
  CHECK(fail_each([&] { rows.append(row); },
                  [&](bool) {
                    const std::string text = text_of(folder / "metrics.jsonl");
                    CHECK(rows.length() == text.size());
                    CHECK(rows.sha256() == sha256_hex(text));
                  }) > 5);
}

TEST_CASE("a checkpoint is saved whole or not at all, and none is taken for damaged") {
  const TemporaryFolder folder;
  const auto checkpoint = [](int64_t step) {
    Checkpoint out;
    out.tensors.push_back({"w", DType::kF32, {2}, std::string(8, static_cast<char>(step))});
    out.state = {{"step", step}};
    return out;
  };
  save_checkpoint(folder.path(), checkpoint(1), 1);
  const Checkpoint second = checkpoint(2);
  CHECK(fail_each([&] { save_checkpoint(folder.path(), second, 2); },
                  [&](bool) {
                    CHECK(load_checkpoint(checkpoint_file(folder.path(), 1)).state["step"] == 1);
                    for (const std::string& name : Folder::open(folder.path()).names())
                      CHECK(name.starts_with("step-"));
                  }) > 20);
  std::optional<Loaded> loaded;
  CHECK(fail_each([&] { loaded = load_latest(folder.path()); },
                  [&](bool failed) {
                    if (!failed) CHECK(loaded.value().checkpoint.state["step"] == 2);
                    if (!failed) CHECK(loaded->warnings.empty());
                  }) > 20);
  CHECK(fail_each([&] { prune_checkpoints(folder.path(), 1, {}); },
                  [&](bool) { CHECK(checkpoint_steps(folder.path()).back() == 2); }) > 2);
}

TEST_CASE("annotations are written whole or not at all") {
  const TemporaryFolder folder;
  annotate(folder.path(), {}, {"first", false, {"a"}, {}});
  CHECK(fail_each(
            [&] {
              annotate(folder.path(), {}, {"second", false, {"b"}, {}});
            },
            [&](bool failed) {
              const Labels labels = Annotations::read(folder.path()).over({});
              CHECK((labels.note == "second" || (failed && labels.note == "first")));
              CHECK((labels.note == "first" ? labels.tags.size() == 1 : true));
            }) > 20);
}

}  // namespace
}  // namespace vitrine
