#include "framework/comparing/watched_runs.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "framework/cpus.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/runs/lock.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kTailOfRows = 64 << 10;  // bytes of rows that are read of a run that is new here
constexpr size_t kMostLosses = 1000;       // of steps
constexpr size_t kFewEpochs = 8;           // too few for a curve
constexpr int64_t kEpochsOfSpeed = 5;

double member_number(const Json& row, const std::string& name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_number() ? found->get<double>() : kNone;
}

int64_t integer_of(const RunRecord& run, const char* name) {
  const auto value = run.value(name);
  return value && value->is_number_integer() ? value->get<int64_t>() : 0;
}

std::vector<double> column_of(const Metrics& metrics, const std::string& name) {
  std::vector<double> out;
  for (const Json& epoch : metrics.history) {
    const double value = member_number(epoch, name);
    if (!std::isnan(value)) out.push_back(value);
  }
  return out;
}

double last_of(const std::vector<double>& values) { return values.empty() ? kNone : values.back(); }

// How many steps there will be; 0 where that cannot be told.
int64_t steps_of(const RunRecord& run) {
  const int64_t epochs = integer_of(run, "training.epochs");
  int64_t out = 0;
  if (!run.metrics.history.empty()) {
    const Json& last = run.metrics.history.back();
    const int64_t epoch = last.value("epoch", int64_t{0});
    out = epoch > 0 ? last.value("step", int64_t{0}) / epoch * epochs : 0;
  } else if (const int64_t batch = integer_of(run, "training.batch_size"); batch > 0) {
    const double images = member_number(run.metrics.dataset, "train");
    out = std::isnan(images) ? 0 : (static_cast<int64_t>(images) + batch - 1) / batch * epochs;
  }
  const int64_t most = integer_of(run, "training.max_steps");
  return most > 0 && (out == 0 || most < out) ? most : out;
}

// Seconds of a step, by the last epochs; NaN before the first one has ended.
double seconds_of_step(const Metrics& metrics) {
  double seconds = 0;
  int64_t steps = 0;
  const auto& history = metrics.history;
  const auto count = static_cast<int64_t>(history.size());
  for (int64_t i = std::max<int64_t>(0, count - kEpochsOfSpeed); i < count; ++i) {
    const int64_t before = i == 0 ? 0 : history[i - 1].value("step", int64_t{0});
    const double own = member_number(history[i], "seconds");
    if (std::isnan(own)) continue;
    seconds += own;
    steps += history[i].value("step", int64_t{0}) - before;
  }
  return steps > 0 ? seconds / static_cast<double>(steps) : kNone;
}

// Whether a run without a metrics.json may be about to begin: loading libtorch takes a moment, in
// which nobody holds its lock.
bool is_new(const fs::path& run) {
  constexpr auto kStart = std::chrono::seconds(60);
  for (const char* name : {"config.yaml", "output.txt", "log.txt"}) {
    std::error_code error;
    const auto written = fs::last_write_time(run / name, error);
    if (!error && fs::file_time_type::clock::now() - written < kStart) return true;
  }
  return false;
}

}  // namespace

WatchedRun::WatchedRun(fs::path run) : run_(std::move(run)) {
  row_.run = run_.string();
  row_.loss = row_.validation = row_.images_per_second = row_.seconds_left = kNone;
}

std::array<WatchedRun::Stamp, 3> WatchedRun::stamps() const {
  std::array<Stamp, 3> out{};
  const char* const names[] = {".lock", "metrics.json", "metrics.jsonl"};
  for (size_t i = 0; i < out.size(); ++i) {
    struct stat status {};
    if (stat((run_ / names[i]).c_str(), &status) != 0) continue;
    out[i] = {status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_size};
  }
  return out;
}

void WatchedRun::refresh(Clock::time_point now) {
  const auto stamps_now = stamps();
  const bool is_changed = stamps_now != changed_;
  if (is_known_ && !is_changed && !row_.is_running() && !begins_) return;
  const bool has_new_rows = stamps_now[2] != changed_[2];
  // One that ends between the two looks must not seem to go on: what changed is read again then.
  const bool goes_on = row_.is_running() && RunLock::is_held(run_);
  if (!is_known_ || !goes_on || stamps_now[0] != changed_[0] || stamps_now[1] != changed_[1]) {
    read_all();
  } else if (has_new_rows) {
    try {
      const auto& history = record_.metrics.history;
      const int64_t last = history.empty() ? 0 : history.back().value("epoch", int64_t{0});
      for (Json& epoch : epochs_after(run_ / "metrics.jsonl", last))
        record_.metrics.add_epoch(std::move(epoch));
    } catch (const Error&) {  // half written
    }
  }
  if (has_new_rows && record_.is_readable()) read_new_rows();
  changed_ = stamps_now;
  is_known_ = true;
  show(now);
  if (!row_.is_running()) record_ = {};  // there may be many
}

void WatchedRun::read_all() {
  record_ = read_run(run_);
  row_.status = record_.status;
  row_.error = record_.error;
  const bool has_begun = record_.status != "interrupted" || !record_.metrics.started.empty();
  begins_ = !has_begun && is_new(run_);
  if (begins_) row_.status = "waiting";
}

void WatchedRun::read_new_rows() {
  try {
    const fs::path file = run_ / "metrics.jsonl";
    const auto size = static_cast<int64_t>(fs::file_size(file));
    bool is_first = read_ == 0;
    if (size < read_) {  // a resume has cut it
      is_first = true;
      read_ = step_ = 0;
      step_losses_.clear();
    }
    if (is_first) read_ = std::max<int64_t>(0, size - kTailOfRows);
    std::string text =
        read_file_part(file, static_cast<uint64_t>(read_), static_cast<uint64_t>(size - read_));
    if (is_first && read_ > 0) {  // within a line
      const size_t end = std::min(text.find('\n') + 1, text.size());
      text.erase(0, end);
      read_ += static_cast<int64_t>(end);
    }
    const size_t whole = text.rfind('\n');
    if (whole == text.npos) return;
    text.resize(whole + 1);
    read_ += static_cast<int64_t>(text.size());
    for (const Json& row : parse_rows(text, "metrics.jsonl")) {
      epoch_ = row.value("epoch", int64_t{0});
      step_ = row.value("step", int64_t{0});
      const double loss = member_number(row, "train/loss");
      if (row.value("kind", "") == "step" && !std::isnan(loss)) step_losses_.push_back(loss);
    }
    if (step_losses_.size() > kMostLosses)
      step_losses_.erase(step_losses_.begin(),
                         step_losses_.end() - static_cast<ptrdiff_t>(kMostLosses));
  } catch (const std::exception&) {  // half written, or gone
  }
}

void WatchedRun::show(Clock::time_point now) {
  if (!record_.is_readable()) return;
  const Metrics& metrics = record_.metrics;
  row_.judged_by = metrics.judged_by();
  const std::string validation = "validation/" + row_.judged_by;
  if (const auto info = metrics.metrics.find(validation); info != metrics.metrics.end())
    row_.info = info->second;
  row_.epochs = integer_of(record_, "training.epochs");
  row_.steps = steps_of(record_);
  row_.epoch = row_.step = 0;
  if (!metrics.history.empty()) {
    row_.epoch = metrics.history.back().value("epoch", int64_t{0});
    row_.step = metrics.history.back().value("step", int64_t{0});
    row_.images_per_second = member_number(metrics.history.back(), "images_per_second");
  }
  row_.losses = column_of(metrics, "train/loss");
  row_.loss = last_of(row_.losses);
  row_.validations = column_of(metrics, validation);
  row_.validation = last_of(row_.validations);
  if (row_.is_running() && step_ > row_.step) {
    row_.epoch = epoch_;
    row_.step = step_;
    if (!step_losses_.empty()) row_.loss = step_losses_.back();
  }
  if (row_.losses.size() < kFewEpochs && step_losses_.size() > row_.losses.size())
    row_.losses = step_losses_;
  show_speed(now);
}

void WatchedRun::show_speed(Clock::time_point now) {
  row_.seconds_left = kNone;
  if (!row_.is_running()) {
    first_seen_.reset();
    return;
  }
  double of_step = seconds_of_step(record_.metrics);
  // Before the first epoch has ended, by the steps that were seen.
  if (row_.step > 0 && (!first_seen_ || row_.step < first_seen_->second))
    first_seen_ = last_seen_ = {now, row_.step};
  if (first_seen_ && row_.step > last_seen_.second) last_seen_ = {now, row_.step};
  if (std::isnan(of_step) && first_seen_ && last_seen_.second > first_seen_->second) {
    const double passed =
        std::chrono::duration<double>(last_seen_.first - first_seen_->first).count();
    of_step = passed / static_cast<double>(last_seen_.second - first_seen_->second);
    row_.images_per_second =
        static_cast<double>(integer_of(record_, "training.batch_size")) / of_step;
  }
  if (row_.steps >= row_.step && row_.steps > 0)
    row_.seconds_left = static_cast<double>(row_.steps - row_.step) * of_step;
}

WatchedRuns::WatchedRuns(std::vector<std::string> places) : places_(std::move(places)) {
  for (std::string& place : places_) {
    std::error_code error;
    const FoundRuns inside =
        fs::is_directory(place, error) ? find_runs(fs::canonical(place)) : FoundRuns();
    const bool is_empty =
        fs::is_directory(place, error) && inside.runs.empty() && inside.passed_over.empty();
    const FoundRuns found = is_empty ? FoundRuns() : find_all_runs({place});
    const bool is_run = found.runs.size() == 1 && fs::equivalent(found.runs[0], place, error);
    is_one_ = places_.size() == 1 && is_run;
    // A link such as `latest` is that of the moment.
    if (is_run) place = found.runs[0].string();
  }
}

void WatchedRuns::refresh() {
  std::map<fs::path, WatchedRun> runs;
  passed_over_ = {};
  for (const std::string& place : places_) {
    try {
      const FoundRuns found = find_all_runs({place});
      passed_over_.add(found.passed_over);
      for (const fs::path& run : found.runs) {
        if (const auto known = runs_.find(run); known != runs_.end()) {
          runs.insert(runs_.extract(known));
        } else {
          runs.try_emplace(run, run);
        }
      }
    } catch (const std::exception&) {  // it is empty, or gone: it may come again
    }
  }
  runs_ = std::move(runs);
  std::vector<WatchedRun*> all;
  for (auto& [path, run] : runs_) all.push_back(&run);
  const auto now = WatchedRun::Clock::now();
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i; (i = next++) < all.size();) all[i]->refresh(now);
  };
  std::vector<std::jthread> helpers;
  const auto threads = static_cast<size_t>(allowed_cpus());
  for (size_t i = 1; i < std::min(threads, all.size() / 16); ++i) helpers.emplace_back(work);
  work();
}

std::vector<const WatchedRow*> WatchedRuns::rows() const {
  std::vector<const WatchedRun*> runs;
  for (const auto& [path, run] : runs_) runs.push_back(&run);
  const auto rank = [](const WatchedRow& row) {
    return row.is_running() ? 0 : row.has_ended() ? 2 : 1;
  };
  std::stable_sort(runs.begin(), runs.end(), [&](const WatchedRun* a, const WatchedRun* b) {
    const int first = rank(a->row()), second = rank(b->row());
    return first != second ? first < second : first == 2 && b->changed_before(*a);
  });
  std::vector<const WatchedRow*> out;
  for (const WatchedRun* run : runs) out.push_back(&run->row());
  return out;
}

}  // namespace vitrine
