#include "framework/ranks/ranks.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/registry/plugin.h"

namespace vitrine {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

class Alone : public Ranks {
 public:
  size_t index() const override { return 0; }
  size_t count() const override { return 1; }
  const std::vector<std::string>& hosts() const override { return hosts_; }
  void gather(void* /*all*/, const std::vector<size_t>& /*starts*/) override {}
  void send(size_t /*to*/, const float* /*numbers*/, size_t /*count*/) override {}
  void receive(size_t /*from*/, float* /*numbers*/, size_t /*count*/) override {}
  void finish() override {}
  void broadcast(size_t /*from*/, void* /*bytes*/, size_t /*size*/) override {}
  void sum(float* /*numbers*/, size_t /*count*/) override {}
  void largest(int64_t* /*numbers*/, size_t /*count*/) override {}
  void fail(ExitCode /*code*/, const std::string& /*message*/) override {}
  void leave(int /*code*/) override {}

 private:
  std::vector<std::string> hosts_ = {host_name()};
};

// What launchers tell each process: the number of them.
struct Launcher {
  const char* variable;
  const char* name;
};
constexpr Launcher kLaunchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "mpirun"}, {"PMI_SIZE", "mpiexec"}, {"SLURM_STEP_NUM_TASKS", "srun"}};

// What the processes that a launcher starts for MPI are told.
constexpr const char* kJoiners[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PMI_FD"};

std::unique_ptr<Ranks> joined;

Ranks& alone() {
  static Alone only;
  return only;
}

}  // namespace

Launched launched() {
  for (const Launcher& launcher : kLaunchers) {
    const char* text = std::getenv(launcher.variable);
    const auto count = parse_integer(text ? text : "");
    if (count && *count > 1) return {launcher.name, *count};
  }
  return {};
}

int64_t Ranks::first_of(int64_t things, size_t rank) const {
  return things * static_cast<int64_t>(rank) / static_cast<int64_t>(count());
}

int64_t Ranks::on_this_host() const {
  return std::count(hosts().begin(), hosts().end(), hosts()[index()]);
}

int64_t Ranks::place_on_this_host() const {
  const auto own = hosts().begin() + static_cast<ptrdiff_t>(index());
  return std::count(hosts().begin(), own, *own);
}

int64_t Ranks::largest(int64_t number) {
  largest(&number, 1);
  return number;
}

std::vector<std::string> Ranks::texts(const std::string& own) {
  std::vector<uint64_t> sizes(count());
  sizes[index()] = own.size();
  std::vector<size_t> starts;
  for (size_t i = 0; i <= count(); ++i) starts.push_back(i * sizeof(uint64_t));
  gather(sizes.data(), starts);
  std::vector<size_t> places = {0};
  for (const uint64_t size : sizes) places.push_back(places.back() + size);
  std::string all(places.back(), '\0');
  std::copy(own.begin(), own.end(), all.begin() + static_cast<ptrdiff_t>(places[index()]));
  gather(all.data(), places);
  std::vector<std::string> out;
  for (size_t i = 0; i < count(); ++i) out.push_back(all.substr(places[i], sizes[i]));
  return out;
}

std::string Ranks::from_first(std::string text) {
  uint64_t size = text.size();
  broadcast(0, &size, sizeof size);
  text.resize(size);
  broadcast(0, text.data(), size);
  return text;
}

std::string rank_name(const Ranks& ranks, size_t index) {
  return fmt::format("rank {} of {} on {}", index, ranks.count(), ranks.hosts()[index]);
}

Ranks& ranks() { return joined ? *joined : alone(); }

void join_ranks() {
  const Launched launched = vitrine::launched();
  if (joined || launched.count == 1) return;
  const std::filesystem::path library = library_folder() / "libvitrine_mpi.so";
  const std::string found =
      fmt::format("{} has started {} processes for one run", launched.by, launched.count);
  std::error_code error;
  if (!std::filesystem::exists(library, error)) {
    throw Error(ExitCode::kUsage,
                found +
                    ", and this build has no MPI: bash scripts/setup.sh --with-mpi installs "
                    "it, and building once more takes it up");
  }
  const bool are_joined =
      std::any_of(std::begin(kJoiners), std::end(kJoiners),
                  [](const char* name) { return std::getenv(name) != nullptr; });
  if (!are_joined) {
    throw Error(ExitCode::kUsage,
                found +
                    " without telling them of each other: srun --mpi=pmix serves Open MPI, "
                    "--mpi=pmi2 MPICH, and srun --mpi=list tells what this Slurm has");
  }
  // MPI's own plug-ins look for its symbols.
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  const auto make = handle ? reinterpret_cast<MakeRanks>(dlsym(handle, kMakeRanks)) : nullptr;
  if (!make) {
    const char* why = dlerror();
    throw Error(ExitCode::kUsage, fmt::format("{}, and {} cannot be loaded: {}", found,
                                              escape(library.string()), why ? why : "unknown"));
  }
  std::unique_ptr<Ranks> made(make());
  if (static_cast<int64_t>(made->count()) != launched.count) {
    throw Error(ExitCode::kUsage,
                fmt::format("{}, but MPI knows of {}: the launcher is not that of the MPI of this "
                            "build",
                            found, made->count()));
  }
  joined = std::move(made);
}

}  // namespace vitrine
