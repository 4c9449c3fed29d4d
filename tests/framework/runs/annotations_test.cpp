#include "framework/runs/annotations.h"

#include <thread>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "tests/framework/files/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

using Tags = std::vector<std::string>;

const Labels kOwn = {"as planned", {"old", "base"}};

LabelChange noted(const std::string& text, bool appends = false) { return {text, appends, {}, {}}; }
LabelChange tagged(const Tags& add, const Tags& remove = {}) { return {{}, false, add, remove}; }

TEST_CASE("annotations stand over the labels of the config", "[runs]") {
  const TemporaryFolder run;
  CHECK(Annotations::read(run.path()).over(kOwn) == kOwn);
  const Relabelled first = annotate(run.path(), kOwn, tagged({"winner", "base"}, {"old"}));
  CHECK(first.before == kOwn);
  CHECK(first.after == Labels{"as planned", {"base", "winner"}});
  annotate(run.path(), kOwn, noted("seen"));
  CHECK(annotate(run.path(), kOwn, noted("again", true)).after.note == "seen\nagain");
  CHECK(Annotations::read(run.path()).over(kOwn) == Labels{"seen\nagain", {"base", "winner"}});
  CHECK(annotate(run.path(), kOwn, tagged({"old"}, {"winner"})).after.tags == Tags{"old", "base"});
  CHECK(annotate(run.path(), kOwn, noted("")).after.note == "");
}

TEST_CASE("what a resume gives the config later counts beside the annotations", "[runs]") {
  const TemporaryFolder run;
  annotate(run.path(), kOwn, noted("seen"));
  annotate(run.path(), kOwn, tagged({"winner"}, {"old"}));
  const Annotations annotations = Annotations::read(run.path());
  CHECK(annotations.over({"other", {"base", "new"}}) == Labels{"other", {"base", "new", "winner"}});
}

TEST_CASE("of many who annotate at once nothing is lost", "[runs]") {
  const TemporaryFolder run;
  constexpr int kWriters = 8, kTags = 5;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        for (int k = 0; k < kTags; ++k)
          annotate(run.path(), {}, tagged({std::to_string(i) + "-" + std::to_string(k)}));
        annotate(run.path(), {}, noted("line", true));
      });
    }
  }
  const Labels labels = Annotations::read(run.path()).over({});
  CHECK(labels.tags.size() == kWriters * kTags);
  CHECK(labels.note.size() == kWriters * 5 - 1);
}

TEST_CASE("annotations.json as it is written, and what is refused in it", "[runs]") {
  const TemporaryFolder run;
  annotate(run.path(), kOwn, {"gr\xc3\xbc\xc3\x9f", false, {"winner"}, {"old"}});
  const std::string text = R"({
  "format": 1,
  "note": "grüß",
  "note_before": "as planned",
  "tags_added": [
    "winner"
  ],
  "tags_removed": [
    "old"
  ]
}
)";
  CHECK(read_file(run / "annotations.json", 1000) == text);
  CHECK(Annotations::parse(text, "a").text() == text);
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return message_of(ExitCode::kData, [&] { Annotations::parse(changed, "a.json"); });
  };
  CHECK(error("1", "2") == "a.json: format: this program reads format 1, this file has 2");
  CHECK(error("\"note\"", "\"nota\"") == "a.json: \"note\" is missing");
  CHECK(error("\"winner\"", "3") == "a.json: tags_added[0]: expected a string, got 3");
  write_plain(run / "annotations.json", "{");
  CHECK(message_of(ExitCode::kData, [&] {
          annotate(run.path(), {}, noted("x"));
        }).starts_with((run / "annotations.json").string()));
}

}  // namespace
}  // namespace vitrine
