#include "framework/registry/plugin.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "framework/files/file.h"
#include "framework/registry/linked_libraries.h"
#include "framework/registry/register.h"
#include "tests/framework/files/support.h"
#include "tests/framework/registry/plugins/bird.h"

using namespace vitrine;

namespace {

std::filesystem::path library(const std::string& name) {
  return std::filesystem::path(VITRINE_BINARY_DIR) / ("test_plugin_" + name + ".so");
}

std::string refusal(const std::filesystem::path& file) {
  const std::string message = message_of(ExitCode::kPlugin, [&] { load_plugin(file); });
  const std::string prefix = "plug-in " + escape(file.string()) + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

}  // namespace

TEST_CASE("a plug-in registers its components, once", "[plugin]") {
  load_plugin(library("good"));
  const size_t size = Registry::instance().size();
  load_plugin(library("good"));
  load_plugin(library("good").parent_path() / "." / library("good").filename());
  CHECK(Registry::instance().size() == size);
  const Component* sparrow = Registry::instance().find("bird", "sparrow");
  REQUIRE(sparrow);
  CHECK(sparrow->description == "small and brown");
  CHECK(sparrow->origin().ends_with("sparrow.cpp:31 in " + library("good").string()));

  Choice<Bird> bird;
  Problems problems;
  Node written = Node::mapping();
  written.set("type", Node::string("sparrow"));
  written.set("chirps", Node::plain("3"));
  bird.read(written, "bird", problems);
  REQUIRE(problems.empty());
  CHECK(bird.create({"!"})->song() == "chirp chirp chirp!");
}

TEST_CASE("errors of plug-ins are caught as errors", "[plugin]") {
  load_plugin(library("good"));
  Choice<Bird> bird;
  Problems problems;
  bird.read(Node::string("sparrow"), "bird", problems);
  CHECK(message_of(ExitCode::kData, [&] { bird.create({""}); }) ==
        "a sparrow sings at the top of its voice");
}

TEST_CASE("libraries that are none are refused", "[plugin]") {
  const TemporaryFolder folder;
  CHECK(refusal(folder / "none.so") == "no such file");
  CHECK(refusal(folder.path()) == "a folder, not a shared library");
  write_plain(folder / "text.so", "#include <iostream>\n");
  CHECK(refusal(folder / "text.so") == "not a shared library");
  CHECK(refusal("/dev/null") == "not a regular file");
  const std::string whole = read_file(library("good"), 1 << 24);
  for (const size_t size : {size_t{1000}, size_t{3000}, whole.size() / 2}) {
    CAPTURE(size);
    write_plain(folder / "cut.so", whole.substr(0, size));
    CHECK(refusal(folder / "cut.so") == "cut off: it is shorter than its header says");
  }
  write_plain(folder / "empty.so", "");
  CHECK(refusal(folder / "empty.so") == "not a shared library");
  // What was missing may be there the next time.
  load_plugin(library("good"));
  std::filesystem::copy_file(library("good"), folder / "none.so");
  CHECK(refusal(folder / "none.so").starts_with("the bird \"sparrow\" is registered twice: "));
}

TEST_CASE("a library without a stamp is refused before it runs", "[plugin]") {
  CHECK(refusal(library("unstamped")) ==
        "carries no Vitrine stamp; build it with vitrine_add_plugin (docs/plugins.md)");
}

TEST_CASE("a library with another stamp is refused before it runs", "[plugin]") {
  const size_t before = Registry::instance().size();
  const std::string message = refusal(library("stale"));
  CHECK(message.starts_with("was built for \"vitrine 3; torch 0.0.1; compiler " __VERSION__
                            "\", this is \"vitrine 3; torch "));
  CHECK(message.ends_with("; compiler " __VERSION__ "\"; build it again"));
  CHECK(Registry::instance().size() == before);
}

TEST_CASE("a library that was built with other headers is refused before it runs", "[plugin]") {
  const size_t before = Registry::instance().size();
  const std::string message = refusal(library("outdated"));
  CHECK_THAT(message, StartsWith("was built with other headers of Vitrine ("));
  CHECK_THAT(message, EndsWith("), so it would call what is not there; build it again"));
  CHECK(refusal(library("bare")) ==
        "does not tell with which headers it was built; build it with vitrine_add_plugin "
        "(docs/plugins.md)");
  CHECK(Registry::instance().size() == before);
}

TEST_CASE("a library whose options cannot be listed is refused", "[plugin]") {
  const TemporaryFolder folder;
  const size_t before = Registry::instance().size();
  setenv("VITRINE_TEST_HOW", "crash", 1);
  CHECK(refusal(library("unlisted")) ==
        "the options of its bird \"unlisted\" crash: Segmentation fault");
  CHECK(Registry::instance().size() == before);
  // What they throw is told by whoever lists them.
  setenv("VITRINE_TEST_HOW", "throw", 1);
  std::filesystem::copy_file(library("unlisted"), folder / "unlisted.so");
  load_plugin(folder / "unlisted.so");
}

TEST_CASE("a library that defines a function of Vitrine's is refused", "[plugin]") {
  CHECK_THAT(refusal(library("robber")), StartsWith("defines vitrine::utc_now"));
  CHECK_THAT(refusal(library("robber")),
             EndsWith(", which Vitrine defines as well: what is a file's own stands in an unnamed "
                      "namespace"));
}

TEST_CASE("what a plug-in links from outside the system is told, where the loader found it",
          "[plugin]") {
  load_plugin(library("good"));
  CHECK(linked_libraries(library("good")).empty());
  CHECK(linked_libraries(library("silent")).empty());  // it is not loaded
  const std::filesystem::path folder = VITRINE_BINARY_DIR "/tests/libraries_1";
  load_plugin(folder / "test_plugin_life.so");
  const auto linked = linked_libraries(folder / "test_plugin_life.so");
  REQUIRE(linked.size() == 2);
  // Each behind what it links itself.
  CHECK(linked[0].name == "libtest_deep.so");
  CHECK(linked[1].name == "libtest_helper.so");
  CHECK(linked[1].file == std::filesystem::canonical(folder / "libtest_helper.so"));
  CHECK(linked[0].is_found_by_name);
}

TEST_CASE("cut and scrambled libraries are refused without a crash", "[plugin]") {
  const TemporaryFolder folder;
  std::ifstream in(library("unstamped"), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  for (size_t length : {size_t{1}, size_t{16}, size_t{63}, size_t{64}, size_t{100}, size_t{500},
                        bytes.size() / 2}) {
    write_plain(folder / "cut.so", bytes.substr(0, length));
    CHECK(message_of(ExitCode::kPlugin, [&] { load_plugin(folder / "cut.so"); }) != "(no error)");
  }
  for (size_t byte = 16; byte < 1000; byte += 7) {
    std::string scrambled = bytes;
    scrambled[byte] = static_cast<char>(scrambled[byte] ^ 0xFF);
    write_plain(folder / "scrambled.so", scrambled);
    CHECK(message_of(ExitCode::kPlugin, [&] { load_plugin(folder / "scrambled.so"); }) !=
          "(no error)");
  }
}

TEST_CASE("a library that registers nothing is refused, each time", "[plugin]") {
  CHECK(refusal(library("silent")) == "registered no component");
  CHECK(refusal(library("silent")) == "registered no component");
}

TEST_CASE("a library that lacks a symbol is refused", "[plugin]") {
  const std::string message = refusal(library("incomplete"));
  CHECK(message.starts_with("undefined symbol: "));
}

TEST_CASE("a component that exists already is refused with both places", "[plugin]") {
  load_plugin(library("good"));
  const std::string first = Registry::instance().find("bird", "sparrow")->origin();
  const std::string message = refusal(library("again"));
  CHECK(message.starts_with("the bird \"sparrow\" is registered twice: " + first + " and "));
  CHECK(message.ends_with("again/sparrow.cpp:15 in " + library("again").string()));
  CHECK(refusal(library("again")) == message);
  CHECK(Registry::instance().find("bird", "sparrow")->origin() == first);
}

TEST_CASE("two components of one name in a library are refused", "[plugin]") {
  const std::string message = refusal(library("twins"));
  CHECK(message.starts_with("the bird \"finch\" is registered twice: "));
  CHECK(message.find("/finch.cpp:15 in " + library("twins").string() + " and ") !=
        std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("problems with registered components end the program with exit code 2", "[plugin]") {
  refusal(library("twins"));
  const std::string message = message_of(ExitCode::kUsage, [] { require_sound_registry(); });
  CHECK(message.find("the bird \"finch\" is registered twice: ") != std::string::npos);
}

TEST_CASE("a library whose constructors throw, crash or end the process is refused as one",
          "[plugin]") {
  const size_t before = Registry::instance().size();
  CHECK(refusal(library("throwing")) == "its constructors throw: no licence\\nfor today");
  CHECK(refusal(library("throwing")) == "its constructors throw: no licence\\nfor today");
  CHECK(refusal(library("crashing")) == "its constructors crash: Segmentation fault");
  CHECK(refusal(library("exiting")) == "its constructors end the process with exit code 3");
  CHECK(Registry::instance().size() == before);
}

TEST_CASE("a library that anybody could have written is refused before it runs", "[plugin]") {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  const auto put = [&](const fs::path& file, fs::perms more) {
    fs::create_directories(file.parent_path());
    fs::copy_file(library("silent"), file);
    fs::permissions(file, more, fs::perm_options::add);
    return file;
  };
  const std::string advice = ", so its code may be anybody's; chmod o-w ";
  const auto file = put(folder / "a.so", fs::perms::others_write);
  CHECK(refusal(file) ==
        "everyone can write it" + advice + file.string() + " if you trust what is there");
  const auto inner = put(folder / "open/inner/a.so", fs::perms::none);
  fs::permissions(folder / "open", fs::perms::all);
  CHECK(refusal(inner) == "everyone can write the folder " + (folder / "open").string() + advice +
                              (folder / "open").string() + " if you trust what is there");
  const auto shared = put(folder / "shared.so", fs::perms::group_write);
  if (chown(shared.c_str(), static_cast<uid_t>(-1), 65534) == 0) {
    std::vector<std::string> warnings;
    tell_of_loading(
        {[](const std::string&) {}, [&](const std::string& text) { warnings.push_back(text); }});
    CHECK(refusal(shared) == "registered no component");
    tell_of_loading({});
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("plug-in " + shared.string() + ": the group "));
    CHECK(warnings[0].ends_with(" can write it"));
  }
  // Through a link as well, wherever that lies.
  fs::create_symlink(inner, folder / "link.so");
  CHECK(message_of(ExitCode::kPlugin, [&] {
          load_plugin(folder / "link.so");
        }).find("everyone can write the folder") != std::string::npos);
  // As in /tmp, nobody can replace what is another's.
  fs::permissions(folder / "open", fs::perms::sticky_bit, fs::perm_options::add);
  CHECK(refusal(inner) == "registered no component");
}

TEST_CASE("a plug-in is named before it is loaded, once", "[plugin]") {
  const TemporaryFolder folder;
  std::filesystem::copy_file(library("silent"), folder / "named.so");
  std::vector<std::string> told;
  const auto tell = [&](const std::string& text) { told.push_back(text); };
  tell_of_loading({tell, tell});
  refusal(folder / "named.so");
  refusal(folder / "named.so");
  refusal(folder / "none.so");
  tell_of_loading({});
  CHECK(told == std::vector<std::string>{"loading the plug-in " + (folder / "named.so").string()});
}
