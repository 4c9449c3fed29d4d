#include "framework/cli/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/cli/launch_environment.h"
#include "framework/cli/sweep_plan.h"
#include "framework/cli/sweep_proposals.h"
#include "framework/cli/sweep_view.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/cpus.h"
#include "framework/files/paths.h"
#include "framework/files/place.h"
#include "framework/sweeps/allocation.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

// Where a sweep varies the data, the first few settings are enough to tell.
constexpr size_t kMostLoaded = 8;

struct SweepVerbOptions {
  std::vector<std::string> words;  // configs and assignments
  std::string run_dir;
  int64_t threads = 0;
  std::string device, launcher;
  bool dry_run = false, strict = false, json = false;
};

// "a.yaml" is a config, "seed=0..9" an assignment.
bool is_assignment(const std::string& word) { return word.find('=') != word.npos && !exists(word); }

SweepSpec spec_of(const SweepVerbOptions& options, const SweepCommand& command) {
  std::vector<std::string> files, assignments;
  for (const std::string& word : options.words) {
    if (is_assignment(word)) {
      assignments.push_back(word);
    } else {
      files.push_back(expand_home(word));
    }
  }
  if (files.empty())
    throw Error(ExitCode::kUsage, "sweep needs a config, or a sweep file, to start from");
  if (!options.device.empty()) assignments.push_back("device=" + options.device);
  if (options.threads > 0) assignments.push_back("threads=" + std::to_string(options.threads));
  if (!options.launcher.empty()) assignments.push_back("sweep.launcher=" + options.launcher);
  SweepSpec out = read_spec(files, assignments);
  add_given_plugins(out);
  if (command.jobs() > 0) out.options.jobs = command.jobs();
  if (const auto confirm = command.confirmation()) out.options.confirm = confirm;
  return out;
}

// Those that this process may use; within a job of Slurm's, which need not bind it to them, the
// job's.
int64_t cores() { return std::min(allowed_cpus(), allocated_cores().value_or(INT64_MAX)); }

// Trials at a time on this machine, which need not be where the sweep was planned.
int64_t jobs_here(const Sweep& sweep) {
  if (sweep.options().jobs || sweep.trials()[0].device != "cpu") return sweep.jobs();
  int64_t threads = 1;
  for (const Trial& trial : sweep.trials()) threads = std::max(threads, trial.threads);
  return std::min(std::max<int64_t>(cores() / threads, 1),
                  static_cast<int64_t>(sweep.planned_trials()));
}

// Where the trials stand, and what came out of them.
void show_result(const Sweep& sweep) {
  constexpr size_t kMostShown = 40;
  const std::string best = best_cells(sweep, kMostShown);
  if (!best.empty()) print(best);
  print(counts_text(sweep));
  if (!sweep.has_best())
    print("no best: without a validation split (dataset.validation) there is nothing to choose by");
}

std::string shown_path(const Sweep& sweep) { return escape(from_here(sweep.path()).string()); }

// Which run stands for the sweep, why, and by which link it is reached.
void show_best(const Sweep& sweep) {
  if (const auto best = best_run(sweep)) {
    const std::string link = sweep.has_best_link() ? std::string(Sweep::kBest) + " -> " : "";
    print(fmt::format("best: {}/{}{}\n      {}", shown_path(sweep), link,
                      sweep.run(best->trial).string(), words_of(sweep, *best)));
  } else if (sweep.has_best() && has_ended(sweep, false)) {
    print("no best: no trial has finished");
  }
}

Json best_json(const Sweep& sweep) {
  const auto best = best_run(sweep);
  if (!best) return nullptr;
  return {{"run", sweep.folder(best->trial).string()},
          {"link", sweep.has_best_link() ? Json((sweep.path() / Sweep::kBest).string()) : Json()},
          {"cell", best->cell.cell},
          {"seed", sweep.trials()[best->trial].seed},
          {"value", *sweep.value(best->trial)},
          {"mean", best->cell.mean()},
          {"confirmed", best->is_confirmed}};
}

// The cells, best first; `mean` is null where no trial has finished.
Json cells_of(const Sweep& sweep, bool confirms) {
  Json out = Json::array();
  if (!sweep.has_best()) return out;
  for (const CellResult& cell : ranking(sweep, confirms)) {
    out.push_back({{"cell", cell.cell},
                   {"values", sweep.trials()[cell.trials[0]].values},
                   {"seeds", cell.seeds()},
                   {"finished", cell.values.size()},
                   {"diverged", cell.diverged},
                   {"failed", cell.failed},
                   {"not_counted", cell.apart.size()},
                   {"mean", cell.values.empty() ? Json() : Json(cell.mean())}});
  }
  return out;
}

Json result_of(const Sweep& sweep, ExitCode code) {
  Json trials = Json::array();
  const auto apart = apart_trials(sweep);
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    Json row = {{"run", sweep.folder(i).string()}};
    row.update(sweep.trials()[i].json());
    row.update(sweep.state_json(i));
    if (const auto found = apart.find(i); found != apart.end()) row["not_counted"] = found->second;
    trials.push_back(std::move(row));
  }
  Json out = {{"sweep", sweep.path().string()},
              {"exit_code", static_cast<int>(code)},
              {"metric", sweep.has_best() ? Json(sweep.chosen_by().name) : Json()},
              {"best", best_json(sweep)},
              {"cells", cells_of(sweep, false)},
              {"confirmed", cells_of(sweep, true)},
              {"left_out", to_json(sweep.left_out())},
              {"trials", trials}};
  for (const SlurmJob& job : sweep.slurm_jobs()) out["slurm_jobs"].push_back(job.id);
  return out;
}

// Whether a resume would run anything. Where asha ended by itself the trials that it paused have
// all that they are to have.
bool is_left(const Sweep& sweep, ExitCode code) {
  if (sweep.to_come() > 0) return true;
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const bool is_paused = sweep.state(i).status == TrialStatus::kPaused;
    if (sweep.state(i).is_open) return true;
    if (is_due(sweep.state(i), false) && !(is_paused && code == ExitCode::kFailed)) return true;
  }
  return false;
}

// GPUs among which the trials are dealt out; none where they compute elsewhere.
int64_t devices_of(const Sweep& sweep) {
  return sweep.trials()[0].device == "cuda" ? engine().devices("cuda") : 0;
}

std::shared_ptr<Launcher> launcher_of(const Sweep& sweep, int64_t jobs) {
  LauncherContext context;
  if (sweep.options().is_elsewhere()) {
    context.jobs = sweep.options().jobs;
  } else {
    context = {jobs_here(sweep), devices_of(sweep)};
  }
  if (jobs > 0) context.jobs = jobs;
  return sweep.options().launcher.create(context);
}

// The same as load_data, for trials that are there and are to be submitted: the data may be gone.
void load_data_of(const Sweep& sweep, const std::vector<size_t>& trials) {
  const ScopedLaunchEnvironment there(sweep.launch_environment());
  Plan plan;
  std::set<std::string> cells;
  for (const size_t trial : trials) {
    if (!cells.insert(sweep.trials()[trial].cell).second) continue;
    Cell& cell = plan.cells.emplace_back();
    cell.resolved = engine().resolve(sweep.config(trial), sweep.folder(trial) / "config.yaml", {},
                                     /*elsewhere=*/true);
    if (plan.cells.size() == kMostLoaded) break;
  }
  Console console(/*quiet=*/true);
  if (!load_data(plan, console)) throw Error(console.stop_requested(), "stopped");
}

// How many cells are run again, on how many seeds.
Confirmation confirmation_of(const Sweep& sweep) {
  std::set<std::string> cells;
  std::set<int64_t> seeds;
  for (const Trial& trial : sweep.trials()) {
    if (!trial.confirms) continue;
    cells.insert(trial.cell);
    seeds.insert(trial.seed);
  }
  return {static_cast<int64_t>(cells.size()), static_cast<int64_t>(seeds.size())};
}

std::string to_text(const Confirmation& confirm) {
  return fmt::format("{} x {}", plural(static_cast<size_t>(confirm.top), "cell"),
                     plural(static_cast<size_t>(confirm.seeds), "seed"));
}

// What was submitted, beyond the first `before` jobs, and how to look after it.
void show_submitted(const Sweep& sweep, size_t before, const std::optional<Confirmation>& confirm) {
  const std::string where = shown_path(sweep);
  for (size_t i = before; i < sweep.slurm_jobs().size(); ++i) {
    const SlurmJob& job = sweep.slurm_jobs()[i];
    size_t trials = 0;
    for (const auto& task : job.tasks) trials += task.size();
    print(fmt::format("submitted {} as job {} ({})", plural(trials, "trial"), job.id,
                      plural(job.tasks.size(), "task")));
  }
  print(counts_text(sweep));
  print("look after it with: runner status " + where);
  const auto searcher = sweep.options().searcher();
  if (searcher->pauses() && !has_ended(sweep, false)) {
    print(fmt::format(
        "when these have come to their epochs, runner resume {} goes on with the best", where));
    return;
  }
  if (sweep.to_come() > 0) {
    print(fmt::format("when these have ended, runner resume {} proposes the next of {} to come",
                      where, plural(static_cast<size_t>(sweep.to_come()), "cell")));
    return;
  }
  if (sweep.is_confirming() || (!confirm && !sweep.options().confirm)) return;
  const std::string options =
      sweep.options().confirm
          ? ""
          : fmt::format(" --confirm --top {} --seeds {}", confirm->top, confirm->seeds);
  print(fmt::format("when all have ended, runner resume {}{} runs the best again on fresh seeds",
                    where, options));
}

ExitCode sweep(const SweepVerbOptions& options, const SweepCommand& command) {
  SweepSpec spec = spec_of(options, command);
  const Plan plan = plan_of(spec);
  if (options.strict && !plan.left_out.empty()) {
    throw Error(ExitCode::kUsage,
                plural(plan.left_out.size(), "impossible cell") + ":" + to_text(plan.left_out));
  }
  warn_of_missing(spec, plan);
  if (spec.options.slurm && !spec.options.is_elsewhere()) {
    print_warning(fmt::format("sweep.slurm has no effect: the launcher is {} (--launcher slurm)",
                              spec.options.launcher.type()));
  }
  if (options.dry_run) {
    show_plan(spec, plan, options.json);
    return ExitCode::kDone;
  }
  spec.options.launcher.create({})->require();
  if (!options.json) print(announcement(spec, plan));
  install_signal_handlers();
  Console console(options.json);
  if (!load_data(plan, console)) {
    console.message("stopped before the sweep was made");
    return console.stop_requested();
  }
  Sweep sweep = Sweep::create(spec, plan, options.run_dir);
  return command.run(sweep, false, options.json, {}, false, &spec);
}

}  // namespace

Plan plan_of(SweepSpec& spec, const Grown& grown) {
  const auto launcher = spec.options.launcher.create({});
  if (!launcher->is_elsewhere())
    return make_plan(spec, {cores(), spec.options.jobs}, engine(), grown);
  Plan out = make_plan(spec, {launcher->cores(spec.options), 1}, engine(), grown);
  launcher->fit(spec.options, out);
  return out;
}

bool load_data(const Plan& plan, Observer& observer) {
  std::set<std::string> loaded;
  for (const Cell& cell : plan.cells) {
    if (loaded.size() == kMostLoaded) break;
    std::string places;
    for (const char* key : {"dataset", "model.weights"}) {
      if (const Node* node = cell.resolved->resolved.at_path(key)) places += node->json().dump();
    }
    if (!loaded.insert(places).second) continue;
    engine().set_threads(cell.resolved->threads);
    if (!engine().load_data(cell.resolved, observer)) return false;
  }
  return true;
}

void warn_of_missing(const SweepSpec& spec, const Plan& plan) {
  if (!plan.left_out.empty())
    print_warning("left out " + plural(plan.left_out.size(), "impossible cell") + ":" +
                  to_text(plan.left_out));
  for (const std::string& note : plan.notes) print_warning(note);
  const auto wanted = static_cast<size_t>(spec.options.trials.value_or(0));
  if (plan.all_cells() >= wanted) return;
  print_warning(fmt::format("drew {} instead of {}: there are no more that are possible",
                            plural(plan.all_cells(), "cell"), wanted));
}

SweepCommand::SweepCommand(CLI::App& app) {
  app.add_option("--jobs", jobs_, "trials at a time; default as many as there are cores or GPUs")
      ->transform(at_least_one());
  app.add_flag("--confirm", confirm_, "at the end, run the best cells again on fresh seeds");
  app.add_option("--top", top_, "of --confirm: how many cells (3)")->transform(at_least_one());
  app.add_option("--seeds", seeds_, "of --confirm: how many seeds (10)")->transform(at_least_one());
}

std::optional<Confirmation> SweepCommand::confirmation() const {
  if (!confirm_) {
    if (top_ == 0 && seeds_ == 0) return std::nullopt;
    throw Error(ExitCode::kUsage, "--top and --seeds tell what --confirm runs again; add it");
  }
  Confirmation out;
  if (top_ > 0) out.top = top_;
  if (seeds_ > 0) out.seeds = seeds_;
  return out;
}

bool SweepCommand::is_given() const { return jobs_ > 0 || confirm_ || top_ > 0 || seeds_ > 0; }

ExitCode SweepCommand::run(Sweep& sweep, bool retry_failed, bool json,
                           const std::optional<Growth>& growth, bool looks_for_data,
                           const SweepSpec* spec) const {
  if (const std::string warning = sweep.lock_warning(); !warning.empty()) print_warning(warning);
  const auto confirm = confirmation();
  if (confirm && !sweep.has_best()) {
    throw Error(ExitCode::kUsage,
                "--confirm: the sweep has no best; there is no validation split "
                "(dataset.validation) to choose by");
  }
  const bool was_confirming = sweep.is_confirming();
  if (confirm && was_confirming && !sweep.is_unconfirmed()) {
    print_warning(fmt::format("--confirm changes nothing: the best are run again already, {}",
                              to_text(confirmation_of(sweep))));
  }
  SweepOutcome outcome;
  const size_t submitted = sweep.slurm_jobs().size();
  {
    SweepView view(sweep, json);
    sweep.on_warning([&](const std::string& text) { view.warning(text); });
    if (looks_for_data) view.before_submitting([&](const auto& due) { load_data_of(sweep, due); });
    const auto launcher = launcher_of(sweep, jobs_);
    const int64_t at_once = jobs_ > 0 ? jobs_ : jobs_here(sweep);
    const auto proposals =
        proposals_for(sweep, spec, jobs_, std::max<int64_t>(cores() / at_once, 1));
    outcome = run_sweep(sweep, *launcher, view, retry_failed, confirm, proposals.get());
    sweep.on_warning(nullptr);
  }
  if (json) {
    Json result = result_of(sweep, outcome.code);
    if (growth) result["growth"] = {{"added", growth->added}, {"there", growth->there}};
    print_json(result);
    return outcome.code;
  }
  if (outcome.under_way) {
    show_submitted(sweep, submitted, confirm);
    return outcome.code;
  }
  show_result(sweep);
  show_best(sweep);
  const std::string where = shown_path(sweep);
  if (outcome.done) {
    print("sweep: " + where);
  } else if (is_left(sweep, outcome.code)) {
    print("go on with: runner resume " + where);
  } else {
    print("run what failed again with: runner resume " + where + " --retry-failed");
  }
  return outcome.code;
}

Action sweep_verb(CLI::App& app) {
  auto options = std::make_shared<SweepVerbOptions>();
  app.add_option("CONFIG", options->words,
                 "configs or a sweep file, and key=value: several values parted by commas make "
                 "variants, seed=0..9 ten seeds")
      ->required();
  auto command = std::make_shared<SweepCommand>(app);
  app.add_option("--run-dir", options->run_dir,
                 "folder of the sweep; default runs/<name>/<time>-<id>")
      ->transform(path_option());
  add_plugin_option(app);
  app.add_option("--device", options->device, "auto, cpu, cuda or mps");
  app.add_option("--threads", options->threads,
                 "threads of a trial; default its share of the cores")
      ->transform(at_least_one());
  app.add_option("--launcher", options->launcher,
                 "local: processes here; slurm: one array job, submitted with sbatch");
  app.add_flag("--dry-run", options->dry_run, "print the plan with its costs, run nothing");
  app.add_flag("--strict", options->strict, "refuse the sweep where a cell is impossible");
  app.add_flag("--json", options->json, "print the result as JSON");
  return [options, command] { return sweep(*options, *command); };
}

}  // namespace vitrine
