#include "tests/framework/cli/support.h"

// Notes and tags that runs are given after their start.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

Json status_of(const Desk& desk, const std::string& place) {
  return Json::parse(desk.run({"status", place, "--json"}).out);
}

// What is in a run's folder, but for what annotating writes.
std::map<std::string, std::string> files_of(const fs::path& run) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name.find("annotations") == name.npos)
      out[entry.path()] = bytes_of(entry.path());
  }
  return out;
}

TEST_CASE("A finished run is noted and tagged, and nothing else of it changes") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "tags=[old]", "--run-dir", "run"}).code == 0);
  const auto before = files_of(desk / "run");
  CHECK(desk.run({"note", "run"}).out == "no note\n");
  CHECK(desk.run({"tag", "run"}).out == "run: old\n");
  CHECK(desk.run({"note", "run", "worth a longer look"}).out == "run: noted\n");
  CHECK(desk.run({"tag", "run", "winner", "--remove", "old"}).out == "run: winner\n");
  CHECK(desk.run({"note", "run", "--append", "or two"}).out == "run: noted\n");
  CHECK(desk.run({"note", "run"}).out == "worth a longer look\nor two\n");
  CHECK(desk.run({"tag", "run"}).out == "run: winner\n");
  CHECK(files_of(desk / "run") == before);

  CHECK(status_of(desk, "run")[0].at("note") == "worth a longer look\nor two");
  CHECK(status_of(desk, "run")[0].at("tags") == Json{"winner"});
  CHECK_THAT(desk.run({"status", "run"}).out, Contains("  winner  worth a longer look ...\n"));
  CHECK(desk.run({"compare", "run", "--tag", "winner"}).code == 0);
  CHECK(desk.error(ExitCode::kUsage, {"compare", "run", "--tag", "old"}) ==
        "error: --tag old: no run has it; there are winner\n");
  REQUIRE(desk.run({"report", "run", "-o", "r.html"}).code == 0);
  CHECK_THAT(bytes_of(desk / "r.html"), Contains("worth a longer look\nor two"));
  CHECK_THAT(bytes_of(desk / "r.html"), Contains("Tags: winner"));

  // A copy has them, and so has the run when it goes on; nothing of it is another run for them.
  fs::copy(desk / "run", desk / "copy", fs::copy_options::recursive);
  CHECK(desk.run({"tag", "copy", "--json"}).out ==
        "[\n  {\n    \"run\": \"copy\",\n    \"note\": \"worth a longer look\\nor two\",\n    "
        "\"tags\": [\n      \"winner\"\n    ]\n  }\n]\n");
  CHECK(desk.run({"resume", "run", "training.epochs=2"}).err == "");
  CHECK(status_of(desk, "run")[0].at("exact") == true);
  CHECK(status_of(desk, "run")[0].at("tags") == Json{"winner"});

  CHECK(desk.run({"note", "run", "other"}).out ==
        "run: the note was: worth a longer look\nor two\nrun: noted\n");
  CHECK(desk.run({"note", "run", "--clear"}).out ==
        "run: the note was: other\nrun: no note any more\n");
  CHECK(desk.run({"note", "run"}).out == "no note\n");
}

TEST_CASE("A run under way is annotated and keeps it") {
  const Desk desk;
  Process process(runner_command({"a.yaml", "training.epochs=1000000", "--run-dir", "run"}),
                  desk / "", {});
  while (!fs::exists(desk / "run/metrics.json")) usleep(2000);
  CHECK(desk.run({"tag", "run", "winner"}).out == "run: winner\n");
  CHECK(desk.run({"note", "run", "looks good"}).code == 0);
  const int64_t newest = [&] {
    const auto steps = checkpoint_steps(desk / "run/checkpoints");
    return steps.empty() ? 0 : steps.back();
  }();
  CHECK(signal_during(process, desk / "run", SIGTERM, newest + 1).code == 143);
  const Json run = status_of(desk, "run")[0];
  CHECK(run.at("status") == "stopped");
  CHECK(run.at("tags") == Json{"winner"});
  CHECK(run.at("note") == "looks good");
}

TEST_CASE("Several runs and a sweep's trials are annotated at once") {
  const Desk desk;
  REQUIRE(desk.run({"sweep", "a.yaml", "seed=0,1", "training.max_steps=1", "--run-dir", "sweep"})
              .code == 0);
  desk.train("run");
  const auto folders = [&] {
    std::vector<std::string> out;
    for (const Json& row : status_of(desk, "sweep")) out.push_back(row.at("run"));
    return out;
  }();
  REQUIRE(folders.size() == 2);
  CHECK(desk.run({"tag", "run", "sweep", "good", "kept"}).out ==
        "run: good, kept\n" + folders[0] + ": good, kept\n" + folders[1] + ": good, kept\n");
  CHECK(desk.run({"note", folders[0], "odd"}).out == folders[0] + ": noted\n");
  CHECK(desk.run({"note", "sweep", "all fine"}).out ==
        folders[0] + ": the note was: odd\n2 runs: noted\n");
  CHECK(desk.run({"note", "run", "sweep"}).out ==
        "run: no note\n" + folders[0] + ": all fine\n" + folders[1] + ": all fine\n");
  CHECK(desk.run({"tag", folders[1], "--remove", "good"}).out == folders[1] + ": kept\n");
  // One that does not have it is no mistake beside one that does.
  CHECK(desk.run({"tag", "sweep", "--remove", "good"}).code == 0);
  CHECK(desk.error(ExitCode::kUsage, {"tag", "sweep", "--remove", "good"}) ==
        "error: --remove good: no run has this tag; they have kept\n");
  CHECK(desk.error(ExitCode::kUsage, {"tag", "sweep/trials", "x"}) ==
        "error: sweep/trials is a folder of 2 runs: name the runs that are meant, or a sweep\n");
}

TEST_CASE("What cannot be a note or a tag is refused, and nothing is written") {
  const Desk desk;
  desk.train("run");
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const std::string text = desk.error(ExitCode::kUsage, arguments);
    CHECK_FALSE(fs::exists(desk / "run/annotations.json"));
    return text;
  };
  CHECK(refused({"note", "gone", "x"}) ==
        "error: gone is no run: there is no such directory" + desk.counted("gone") +
            "; runs near it: ./run; a note of several words stands in quotes\n");
  CHECK(refused({"note", "run", "two", "words"}) ==
        "error: a note is one text: put \"two words\" in quotes\n");
  CHECK(refused({"note", "run", "\xff"}) == "error: the note is no UTF-8\n");
  CHECK(refused({"note", "run", "--append"}) == "error: --append: give the text to append\n");
  CHECK(refused({"tag", "run", "--remove", "old"}) ==
        "error: --remove old: the run does not have this tag; it has no tags\n");
  CHECK(refused({"tag", "run", "x", "--remove", "x"}) ==
        "error: the tag x is both given and removed\n");
  CHECK(refused({"tag", "run", "run/no", "x"}) ==
        "error: run/no is no run: there is no such directory" + desk.counted("run/no") +
            "; a tag with a slash is given by --add\n");
  CHECK(refused({"tag", "run", "confirming"}) ==
        "error: the tag confirming is a sweep's: it parts runs that try a winner again from those "
        "that chose it\n");
  CHECK(refused({"tag", "run", " "}) == "error: a tag is a word, not blanks alone\n");
  CHECK(desk.run({"tag", "run", "--add", "a/b"}).out == "run: a/b\n");
}

TEST_CASE("Control characters of notes and tags are escaped where they are shown") {
  const Desk desk;
  desk.train("run");
  REQUIRE(desk.run({"note", "run", "red \x1b[31m"}).code == 0);
  CHECK(desk.run({"tag", "run", "bell\a"}).out == "run: bell\\x07\n");
  CHECK(desk.run({"note", "run"}).out == "red \\x1b[31m\n");
  CHECK_THAT(desk.run({"status", "run"}).out, Contains("  bell\\x07  red \\x1b[31m\n"));
}

TEST_CASE("Annotations that are damaged are told, and the run is not taken without them") {
  const Desk desk;
  desk.train("run");
  desk.write("run/annotations.json", "{");
  CHECK_THAT(desk.error(ExitCode::kData, {"note", "run"}),
             StartsWith("error: run/annotations.json"));
  CHECK_THAT(desk.run({"status", "run"}).out, Contains("run  unreadable"));
}

}  // namespace
}  // namespace vitrine
