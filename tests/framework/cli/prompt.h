#pragma once

#include "tests/framework/cli/support.h"

namespace vitrine {

// A folder in which a person types; `runner` is on the PATH.
class Prompt : public TemporaryFolder {
 public:
  Prompt() {
    namespace fs = std::filesystem;
    for (const char* folder : {"bin", "configs/more", "runs/small/first", "other"})
      fs::create_directories(*this / folder);
    fs::create_symlink(VITRINE_BINARY_DIR "/runner", *this / "bin/runner");
    write_plain(*this / "configs/small.yaml", kSmallConfig);
    write_plain(*this / "configs/own part.yaml", "plugins: [gone.so]\nmodel: {mlp: mine}\n");
    write_plain(*this / "configs/notes.txt", "");
    write_plain(*this / "runs/small/first/config.yaml", kSmallConfig);
    write_plain(*this / "runs/small/first/metrics.json", "{}");
  }

  // What may stand in the place of the last word, without help.
  std::string words(std::vector<std::string> typed) const {
    typed.insert(typed.begin(), {"completion", "--complete"});
    const Result result = runner(typed, path());
    CHECK(result.code == 0);
    CHECK(result.err == "");
    return std::regex_replace(result.out, std::regex("\t[^\n]*"), "");
  }

  Result in(const std::vector<std::string>& command) const {
    return Process(command, path(), environment()).wait();
  }

  // What a shell shows of `steps`, for terminal.py.
  Result typed(const std::string& steps, const std::string& shell) const {
    write_plain(*this / "steps", steps);
    return in({"bash", "-c",
               "python3 " VITRINE_SOURCE_DIR "/tests/terminal.py 200x30 " + shell + " < steps"});
  }

 private:
  std::map<std::string, std::string> environment() const {
    return {{"PATH", (*this / "bin").string() + ":" + std::getenv("PATH")},
            {"HOME", path()},
            {"TERM", "xterm"}};
  }
};

}  // namespace vitrine
