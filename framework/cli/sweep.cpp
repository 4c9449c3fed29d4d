#include "framework/cli/sweep.h"

#include <fmt/format.h>

#include <thread>

#include "framework/cli/sweep_view.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> words;  // configs and assignments
  std::string run_dir;
  int64_t jobs = 0, threads = 0;
  std::string device;
  bool dry_run = false, strict = false, json = false;
};

// "a.yaml" is a config, "seed=0..9" an assignment.
bool is_assignment(const std::string& word) {
  return word.find('=') != word.npos && !std::filesystem::exists(word);
}

SweepSpec spec_of(const Options& options) {
  std::vector<std::string> files, assignments;
  for (const std::string& word : options.words)
    (is_assignment(word) ? assignments : files).push_back(word);
  if (files.empty())
    throw Error(ExitCode::kUsage, "sweep needs a config, or a sweep file, to start from");
  if (!options.device.empty()) assignments.push_back("device=" + options.device);
  if (options.threads > 0) assignments.push_back("threads=" + std::to_string(options.threads));
  return read_spec(files, assignments);
}

Machine machine_of(const Options& options, const SweepSpec& spec) {
  Machine out;
  out.cores = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  out.jobs = options.jobs > 0 ? std::optional(options.jobs) : spec.options.jobs;
  return out;
}

std::string left_out_text(const Plan& plan) {
  std::string out;
  for (const LeftOut& cell : plan.left_out)
    out += fmt::format("\n  {}: {}", escape(cell.label), escape(cell.reason));
  return out;
}

std::string plural(size_t count, const std::string& word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string announcement(const SweepSpec& spec, const Plan& plan) {
  const size_t seeds = std::max<size_t>(plan.seeds.size(), 1);
  return fmt::format("{}: {}, {} x {}, {} at a time", escape(spec.name),
                     plural(plan.trials(), "trial"), plural(plan.cells.size(), "cell"),
                     plural(seeds, "seed"), plan.jobs);
}

// Where the trials stand, and what came out of them.
void show_result(const Sweep& sweep) {
  const std::string best = best_cells(sweep, 10);
  if (!best.empty()) print(best);
  print(counts_text(sweep));
  if (!sweep.has_best())
    print("no best: without a validation split (dataset.validation) there is nothing to choose by");
}

Json result_of(const Sweep& sweep, ExitCode code) {
  Json trials = Json::array();
  const SweepOptions& options = sweep.options();
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    Json row = {{"run", sweep.folder(i).string()}};
    row.update(sweep.trials()[i].json());
    row.update(sweep.state(i).json(options.metric, options.larger_is_better()));
    trials.push_back(std::move(row));
  }
  return {
      {"sweep", sweep.path().string()}, {"exit_code", static_cast<int>(code)}, {"trials", trials}};
}

ExitCode sweep(const Options& options) {
  const SweepSpec spec = spec_of(options);
  const Plan plan = make_plan(spec, machine_of(options, spec), engine());
  if (!plan.left_out.empty()) {
    const std::string cells = plural(plan.left_out.size(), "impossible cell");
    if (options.strict) throw Error(ExitCode::kUsage, cells + ":" + left_out_text(plan));
    print_warning("left out " + cells + ":" + left_out_text(plan));
  }
  if (!options.json) print(announcement(spec, plan));
  if (options.dry_run) return ExitCode::kDone;
  install_signal_handlers();
  Sweep sweep = Sweep::create(spec, plan, options.run_dir);
  SweepRun run;
  run.jobs = options.jobs;
  run.json = options.json;
  return run_sweep(sweep, run);
}

}  // namespace

ExitCode run_sweep(Sweep& sweep, const SweepRun& options) {
  ExitCode code = ExitCode::kDone;
  bool done = true;
  {
    ListScheduler scheduler(sweep, options.retry_failed);
    SweepView view(sweep, options.json);
    const auto launcher = local_launcher(options.jobs > 0 ? options.jobs : sweep.jobs(), 0);
    code = launcher->launch(sweep, scheduler, view);
    for (size_t i = 0; i < sweep.trials().size(); ++i) done &= scheduler.is_done(i);
  }
  if (code == ExitCode::kDone && !done) code = ExitCode::kFailed;
  if (options.json) {
    print(result_of(sweep, code).dump(2));
    return code;
  }
  show_result(sweep);
  const std::string where = escape(std::filesystem::proximate(sweep.path()).string());
  print(done ? "sweep: " + where : "go on with: runner resume " + where);
  return code;
}

Action sweep_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("CONFIG", options->words,
                 "configs or a sweep file, and key=value: several values parted by commas make "
                 "variants, seed=0..9 ten seeds")
      ->required();
  app.add_option("--run-dir", options->run_dir,
                 "folder of the sweep; default runs/<name>/<time>-<id>");
  app.add_option("--jobs", options->jobs,
                 "trials at a time; default as many as there are cores or GPUs")
      ->transform(at_least_one());
  app.add_option("--device", options->device, "auto, cpu, cuda or mps");
  app.add_option("--threads", options->threads,
                 "threads of a trial; default its share of the cores")
      ->transform(at_least_one());
  app.add_flag("--dry-run", options->dry_run, "print the plan, run nothing");
  app.add_flag("--strict", options->strict, "refuse the sweep where a cell is impossible");
  app.add_flag("--json", options->json, "print the result as JSON");
  return [options] { return sweep(*options); };
}

}  // namespace vitrine
