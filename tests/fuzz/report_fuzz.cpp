#include "framework/reports/report.h"
#include "tests/framework/sweeps/fake_engine.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutator.h"

namespace vitrine {
namespace {

// Files of two runs: {"a/metrics.json": {...}, "b/test.json": {...}, ...}; a text is a file's
// bytes.
constexpr const char* kFiles[] = {"a/metrics.json",  "a/test.json",    "a/annotations.json",
                                  "a/metrics.jsonl", "b/metrics.json", "b/test.json",
                                  "a/config.yaml"};

// Anything without one of these is the metrics.json of a lone run.
void write_files(const FuzzFolder& folder, std::string_view bytes) {
  using Json = nlohmann::ordered_json;
  for (const char* file : kFiles) folder.remove(file);
  folder.write("a/worst/1.png", "a picture");
  const Json files = Json::parse(bytes, nullptr, false);
  bool any = false;
  for (const char* file : kFiles) {
    if (!files.is_object() || !files.contains(file)) continue;
    const Json& content = files.at(file);
    folder.write(file, content.is_string() ? content.get<std::string>() : content.dump());
    any = true;
  }
  if (!any) folder.write(kFiles[0], bytes);
}

void check(std::string_view bytes) {
  static const FuzzFolder folder;
  static FakeEngine engine;
  provide_engine(engine);
  write_files(folder, bytes);
  std::vector<RunRecord> runs = read_runs({folder.path()}, 1);
  for (const RunRecord& run : runs) {
    for (const std::string& name : run.names()) run.value(name);
  }
  const std::string page = report_page(std::move(runs), {folder.path()});
  // No text of a run begins or ends a script.
  size_t ends = 0;
  for (size_t at = 0; (at = page.find("</script", at)) != page.npos; ++at) ++ends;
  require(ends == 3);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
VITRINE_MUTATES_JSON;
