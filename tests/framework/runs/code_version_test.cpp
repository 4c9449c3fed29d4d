#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "framework/registry/plugin.h"
#include "framework/runs/build.h"
#include "tests/framework/files/support.h"
#include "tests/skip.h"

// What a build tells of the sources that it was made from.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

struct Version {
  std::string sources, commit;

  bool operator==(const Version&) const = default;
};

// A project with components under models/, whose build asks as ours does.
class Project {
 public:
  explicit Project(const fs::path& folder) : folder_(folder) {}

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    write_plain(folder_ / name, text);
  }
  void remove(const std::string& name) const { fs::remove(folder_ / name); }
  void git(const std::string& arguments) const {
    const std::string command = "git -C '" + folder_.string() +
                                "' -c user.name=a -c user.email=a@b -c commit.gpgsign=false " +
                                arguments + " >/dev/null 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
  }
  std::string head() const {
    std::string text = read_file(folder_ / ".git/refs/heads/main", 1000);
    text.pop_back();
    return text;
  }

  Version version() const {
    std::string input = "source CMakeLists.txt\nfolder models\n";
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "models")) {
      if (entry.path().extension() == ".cpp") input += "source " + entry.path().string() + "\n";
    }
    write("build/code/p.in", input);
    const std::string build = (folder_ / "build").string();
    const std::string command =
        "cmake -DNAME=p -DKIND=program '-DFOLDER=" + folder_.string() + "' '-DBINARY=" + build +
        "' '-DINPUT=" + build + "/code/p.in' '-DINCLUDE=" + folder_.string() +
        "' '-DOUTPUT=" + output().string() + "' -P " VITRINE_SOURCE_DIR "/cmake/code_version.cmake";
    REQUIRE(std::system(command.c_str()) == 0);
    // #define VITRINE_CODE_TEXT "p\n<sources>\n<commit>"
    const std::string text = read_file(output(), 10000);
    const size_t begin = text.find("\"p\\n") + 4, end = text.find("\\n", begin);
    return {text.substr(begin, end - begin), text.substr(end + 2, text.find('"', end) - end - 2)};
  }
  // Of the headers below its folder.
  std::string headers() const {
    version();
    const std::string text = read_file(output(), 10000), name = "VITRINE_HEADERS \"";
    return text.substr(text.find(name) + name.size(), 64);
  }
  fs::path output() const { return folder_ / "build/code/p.cpp"; }

 private:
  fs::path folder_;
};

TEST_CASE("a build tells its commit, and whether something compiled differs from it", "[runs]") {
  if (std::system("git --version >/dev/null 2>&1") != 0)
    return skip("what a build tells of its commit: git is not here");
  const TemporaryFolder folder;
  const Project project(folder.path());
  project.write("CMakeLists.txt", "project(p)\n");
  project.write("models/mlp/gelu.cpp", "int gelu;\n");
  project.write("models/parts.h", "int parts;\n");
  project.write(".gitignore", "/build/\nmodels/mlp/secret.cpp\n");
  project.write("docs/read.md", "words\n");
  CHECK(project.version().commit == "unknown");
  project.git("init -b main");
  project.git("add -A");
  project.git("commit -m first");
  const Version clean = project.version();
  CHECK(clean.commit == project.head());
  CHECK(clean.sources.size() == 64);

  // What is not compiled does not count.
  project.write("docs/read.md", "other words\n");
  project.write("notes.txt", "mine\n");
  CHECK(project.version() == clean);

  const std::string dirty = project.head() + "-dirty";
  const auto differs = [&](const std::string& file, const std::string& text) {
    CAPTURE(file);
    const std::string before = fs::exists(folder / file) ? read_file(folder / file, 1000) : "";
    project.write(file, text);
    const Version other = project.version();
    CHECK(other.commit == dirty);
    CHECK(other.sources != clean.sources);
    before.empty() ? project.remove(file) : project.write(file, before);
    CHECK(project.version() == clean);
    return other.sources;
  };
  const std::string with_relu = differs("models/mlp/relu.cpp", "int relu;\n");  // not tracked
  differs("models/mlp/secret.cpp", "int secret;\n");                            // nor to be
  differs("models/mlp/gelu.cpp", "int changed;\n");
  differs("models/parts.h", "int changed;\n");
  differs("CMakeLists.txt", "project(q)\n");
  differs("models/mlp/new.h", "int header;\n");

  project.write("models/mlp/relu.cpp", "int relu;\n");
  project.git("add models");
  CHECK(project.version().commit == dirty);
  project.git("commit -m second");
  CHECK(project.version() == Version{with_relu, project.head()});
  project.remove("models/mlp/relu.cpp");
  CHECK(project.version() == Version{clean.sources, project.head() + "-dirty"});
}

TEST_CASE("sources without a repository, or elsewhere, are told by the same digest", "[runs]") {
  const TemporaryFolder first, second;
  for (const TemporaryFolder* folder : {&first, &second}) {
    const Project project(folder->path());
    project.write("CMakeLists.txt", "project(p)\n");
    project.write("models/a.cpp", "int a;\n");
  }
  const Version version = Project(first.path()).version();
  CHECK(version.commit == "unknown");
  CHECK(Project(second.path()).version() == version);
  CHECK(version.sources == sha256_hex(sha256_hex("project(p)\n") + "  CMakeLists.txt\n" +
                                      sha256_hex("int a;\n") + "  models/a.cpp\n"));
  CHECK(sha256_hex(read_file(first / "build/code/p.sha256", 1000)) == version.sources);
}

TEST_CASE("nothing is written, and so nothing compiled, where no source has changed", "[runs]") {
  const TemporaryFolder folder;
  const Project project(folder.path());
  project.write("CMakeLists.txt", "project(p)\n");
  project.write("models/a.cpp", "int a;\n");
  project.version();
  const auto written = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(project.output(), written);
  project.write("models/a.cpp", "int a;\n");
  project.version();
  CHECK(fs::last_write_time(project.output()) == written);
  project.write("models/a.cpp", "int b;\n");
  project.version();
  CHECK(fs::last_write_time(project.output()) > written);
}

TEST_CASE("headers that components may include have one digest, wherever they lie", "[runs]") {
  const TemporaryFolder first, second;
  for (const TemporaryFolder* folder : {&first, &second}) {
    const Project project(folder->path());
    project.write("CMakeLists.txt", "project(p)\n");
    project.write("models/parts.h", "int parts;\n");
    project.write("framework/model/loss.h", "int loss;\n");
  }
  const Project project(first.path());
  const std::string headers = project.headers();
  CHECK(headers == Project(second.path()).headers());
  CHECK(headers == sha256_hex(sha256_hex("int loss;\n") + "  framework/model/loss.h\n" +
                              sha256_hex("int parts;\n") + "  models/parts.h\n"));
  // What no component includes.
  project.write("framework/cli/verbs.h", "int verbs;\n");
  project.write("framework/model/loss.cpp", "int loss;\n");
  project.write("models/a.cpp", "int a;\n");
  CHECK(project.headers() == headers);
  project.write("framework/model/loss.h", "int loss, weight;\n");
  CHECK(project.headers() != headers);
}

TEST_CASE("a plug-in tells its name and the digest of its own sources", "[runs]") {
  load_plugin(VITRINE_BINARY_DIR "/test_plugin_good.so");
  const std::vector<CodeVersion> plugins = loaded_code().plugins;
  const auto good = std::find_if(plugins.begin(), plugins.end(), [](const CodeVersion& plugin) {
    return plugin.name == "test_plugin_good";
  });
  REQUIRE(good != plugins.end());
  std::string list;
  for (const char* file : {"CMakeLists.txt", "bird.h", "sparrow.cpp"}) {
    const fs::path path = fs::path(VITRINE_SOURCE_DIR "/tests/framework/registry/plugins") / file;
    list += sha256_hex(read_file(path, 1 << 20)) + "  " + file + "\n";
  }
  CHECK(good->sources == sha256_hex(list));
}

}  // namespace
}  // namespace vitrine
