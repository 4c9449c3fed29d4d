#include <cstdlib>

#include "framework/files/file.h"
#include "tests/framework/files/support.h"

// How plug-ins outside the tree are built.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A component of the file in which it stands; `before` and `behind` are around its classes.
std::string component(const std::string& before, const std::string& behind,
                      const std::string& options = "struct Options { void visit(Fields&) {} };\n") {
  return "#include \"framework/registry/register.h\"\n"
         "#include \"tests/framework/registry/plugins/bird.h\"\n"
         "namespace vitrine {\n" +
         before + options +
         "class Owl : public Bird {\n"
         " public:\n"
         "  Owl(const Options&, const Context&) {}\n"
         "  std::string song() const override { return \"hoo\"; }\n"
         "};\n" +
         behind +
         "VITRINE_REGISTER(Bird, Owl, Options, \"an owl\")\n"
         "}\n";
}

// A project with a plug-in of one file, or two.
class Project {
 public:
  explicit Project(const std::string& source, const std::string& other = "") {
    write_plain(folder_ / "owl.cpp", source);
    write_plain(folder_ / "other.cpp", other);
    write_plain(folder_ / "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.22)\n"
                "include(" VITRINE_SOURCE_DIR
                "/cmake/VitrinePlugin.cmake)\n"
                "project(birds LANGUAGES CXX)\n"
                "vitrine_add_plugin(birds owl.cpp other.cpp)\n");
  }
  // Whether it was configured and built; `said` is what that wrote.
  bool builds(std::string& said, const std::string& options = "") const {
    const std::string folder = folder_.path().string(), log = folder + "/log";
    const std::string command = "{ cmake -S " + folder + " -B " + folder +
                                "/build -DVITRINE_BUILD=" VITRINE_BINARY_DIR " " + options +
                                " && cmake --build " + folder + "/build; } >" + log + " 2>&1";
    const bool out = std::system(command.c_str()) == 0;
    said = read_file(log, 1 << 20);
    return out;
  }
  std::string build_type() const {
    const std::string cache = read_file(folder_ / "build/CMakeCache.txt", 1 << 20);
    const size_t begin = cache.find("\nCMAKE_BUILD_TYPE:STRING=") + 25;
    return cache.substr(begin, cache.find('\n', begin) - begin);
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE("a plug-in is optimised unless it is told otherwise", "[plugin]") {
  const Project project(component("namespace {\n", "}\n"));
  std::string said;
  CHECK(project.builds(said));
  INFO(said);
  CHECK(project.build_type() == "Release");
  CHECK(project.builds(said, "-DCMAKE_BUILD_TYPE=Debug"));
  CHECK(project.build_type() == "Debug");
}

TEST_CASE("classes that another file may have too are refused as the plug-in is built",
          "[plugin]") {
  std::string said;
  CHECK_FALSE(Project(component("", "")).builds(said));
  CHECK_THAT(said, Contains("the class of a component must stand in an unnamed namespace"));
  CHECK_THAT(said, Contains("the options of a component must stand in an unnamed namespace"));
  CHECK_THAT(said, Contains("owl.cpp"));
  CHECK_THAT(said, Contains("vitrine::Owl"));
  const Project options(
      component("struct Options { void visit(Fields&) {} };\nnamespace {\n", "}\n", ""));
  CHECK_FALSE(options.builds(said));
  CHECK_THAT(said, Contains("the options of a component must stand in an unnamed namespace"));
  CHECK(said.find("the class of a component must") == std::string::npos);
}

// A class and a function that stand in the namespace of all, and what makes them known to the
// linker as `name`.
std::string helpers(const std::string& name, const std::string& factor) {
  return "namespace vitrine {\n"
         "struct Scale {  // of a bird\n"
         "  virtual ~Scale() = default;\n"
         "  virtual double of(double x) const { return " +
         factor +
         " * x; }\n"
         "};\n"
         "Scale* " +
         name +
         "() { return new Scale; }\n"
         "}\n";
}

TEST_CASE("helpers of one name that two files define differently are refused", "[plugin]") {
  const std::string owl = component("namespace {\n", "}\n");
  std::string said;
  CHECK_FALSE(Project(owl + helpers("one", "2"), helpers("two", "3")).builds(said));
  CHECK_THAT(said, Contains("birds: vitrine::Scale is defined, differently, in"));
  CHECK_THAT(said, Contains("owl.cpp"));
  CHECK_THAT(said, Contains("other.cpp"));
  CHECK_THAT(said, Contains("(namespace { ... })"));
  // One that is the same everywhere is one, and what is a file's own is nobody else's.
  const std::string own = "namespace {\nstruct Scale { int of() const { return 3; } };\n}\n";
  CHECK(Project(owl + helpers("one", "2"), helpers("two", "2") + own).builds(said));
  INFO(said);
}

}  // namespace
}  // namespace vitrine
