#include "framework/cpus.h"

#include "tests/catch.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A system's files, in a folder.
class System {
 public:
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    write_plain(root_ / file, text);
  }
  std::optional<double> quota() const { return cpu_quota(root_.path()); }

 private:
  TemporaryFolder root_;
};

constexpr const char* kMounts =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_CASE("the quota of a control group of version 2") {
  const System system;
  CHECK(system.quota() == std::nullopt);
  system.write("proc/self/mountinfo", kMounts);
  system.write("proc/self/cgroup", "0::/user.slice/job\n");
  CHECK(system.quota() == std::nullopt);
  system.write("sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  CHECK(system.quota() == std::nullopt);
  system.write("sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\n");
  CHECK(system.quota() == 1.5);
  system.write("sys/fs/cgroup/user.slice/cpu.max", "400000 100000\n");
  CHECK(system.quota() == 1.5);
  system.write("sys/fs/cgroup/user.slice/cpu.max", "25000 50000\n");  // of the one above
  CHECK(system.quota() == 0.5);
}

TEST_CASE("the quota of a control group of version 1") {
  const System system;
  system.write("proc/self/mountinfo",
               "33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
               "34 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
               "35 32 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  system.write("proc/self/cgroup", "4:memory:/other\n2:cpu,cpuacct:/slurm/job_7\n0::/\n");
  const std::string job = "sys/fs/cgroup/cpu,cpuacct/slurm/job_7/";
  system.write(job + "cpu.cfs_quota_us", "-1\n");
  system.write(job + "cpu.cfs_period_us", "100000\n");
  CHECK(system.quota() == std::nullopt);
  system.write(job + "cpu.cfs_quota_us", "200000\n");
  CHECK(system.quota() == 2);
}

TEST_CASE("a container's control group is what is mounted there") {
  const System system;
  system.write("proc/self/mountinfo",
               "30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  system.write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  for (const char* group : {"/docker/abc", "/", "/docker/other"}) {
    INFO(group);
    system.write("proc/self/cgroup", std::string("0::") + group + "\n");
    CHECK(system.quota() == 3);
  }
  system.write("sys/fs/cgroup/inner/cpu.max", "100000 100000\n");
  system.write("proc/self/cgroup", "0::/docker/abc/inner\n");
  CHECK(system.quota() == 1);
}

}  // namespace
}  // namespace vitrine
