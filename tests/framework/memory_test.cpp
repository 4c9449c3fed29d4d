#include "framework/memory.h"

#include "tests/catch.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A system's files, in a folder.
class System {
 public:
  System() {
    write("proc/meminfo", "MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:  4000 kB\n");
  }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    write_plain(root_ / file, text);
  }
  uint64_t available() const { return available_memory(root_.path()); }

 private:
  TemporaryFolder root_;
};

TEST_CASE("without groups what the system has left is available") {
  CHECK(System().available() == 4000 << 10);
}

TEST_CASE("a control group of version 2 leaves less, but for what files take") {
  const System system;
  system.write("proc/self/mountinfo",
               "30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  system.write("proc/self/cgroup", "0::/job/step\n");
  system.write("sys/fs/cgroup/job/memory.max", "max\n");
  CHECK(system.available() == 4000 << 10);
  system.write("sys/fs/cgroup/job/memory.max", "3000000\n");
  system.write("sys/fs/cgroup/job/memory.current", "1000000\n");
  CHECK(system.available() == 2000000);
  system.write("sys/fs/cgroup/job/memory.stat", "anon 600000\ninactive_file 400000\n");
  CHECK(system.available() == 2400000);
  system.write("sys/fs/cgroup/job/step/memory.max", "500000\n");
  system.write("sys/fs/cgroup/job/step/memory.current", "700000\n");
  CHECK(system.available() == 0);
}

TEST_CASE("a control group of version 1 as well") {
  const System system;
  system.write("proc/self/mountinfo",
               "33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
               "34 32 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  system.write("proc/self/cgroup", "4:memory:/job\n2:cpu:/other\n");
  system.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000000\n");
  system.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "250000\n");
  CHECK(system.available() == 750000);
}

}  // namespace
}  // namespace vitrine
