#include "framework/comparing/status_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "framework/comparing/text_table.h"
#include "framework/config/scalar.h"
#include "framework/engine/engine.h"
#include "framework/runs/checkpoint.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

Json number_of(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() ? Json() : *found;
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json json_of(const StatusRow& row) {
  Json out = {{"run", row.run}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  if (row.is_readable) {
    out["name"] = row.name;
    out["status"] = row.status;
    out["stopped_by"] = or_null(row.stopped_by);
    out["epoch"] = row.epoch;
    out["epochs"] = row.epochs;
    out["step"] = row.step;
    out["train/loss"] = row.loss;
    out["best validation/" + row.judged_by] = row.best;
    out["test/" + row.judged_by] = row.test;
    out["exact"] = row.exact;
    out["changes"] = Json::array();
    for (const Change& change : row.changes) out["changes"].push_back(change.json());
    out["tags"] = row.tags;
    out["note"] = row.note;
    add("device_reason", row.device_reason);
    if (!row.hosts.empty()) {
      out["ranks"] = row.hosts.size();
      out["hosts"] = row.hosts;
    }
  } else {
    out["status"] = row.status;
    out["error"] = row.error;
  }
  add("sweep", row.sweep);
  add("reason", row.reason);
  add("error", row.error);
  add("not_counted", row.not_counted);
  add("slurm_task", row.slurm_task);
  add("log", row.log);
  return out;
}

// With the reason of an end that the epochs do not explain: "finished (early stopping)".
std::string shown_status_of(const StatusRow& row) {
  const std::string& status = row.status;
  const std::string& reason = row.stopped_by;
  if (status == "finished" && reason == "early_stopping") return "finished (early stopping)";
  if (status == "finished" && reason == "max_steps") return "finished (max_steps)";
  if (status == "finished" && reason == "callback") return "finished (callback)";
  if (status == "stopped" && reason == "stop_after") return "stopped (--stop-after)";
  if (!row.reason.empty()) return fmt::format("{} ({})", status, escape(row.reason));
  if (row.hosts.empty()) return status;
  const size_t machines = std::set<std::string>(row.hosts.begin(), row.hosts.end()).size();
  if (machines == 1) return fmt::format("{} ({} ranks)", status, row.hosts.size());
  return fmt::format("{} ({} ranks on {} hosts)", status, row.hosts.size(), machines);
}

// That of the newest checkpoint. Throws Error(kCheckpoint).
int64_t saved_step(const RunRecord& run) {
  const auto steps = checkpoint_steps(run.path / "checkpoints");
  return steps.empty() ? 0 : steps.back();
}

void add_progress(const RunRecord& run, StatusRow& row) {
  const Metrics& metrics = run.metrics;
  if (!metrics.history.empty()) {
    const Json& last = metrics.history.back();
    row.epoch = last.value("epoch", int64_t{0});
    row.step = std::max(row.step, last.value("step", int64_t{0}));
    row.loss = number_of(last, "train/loss");
  }
  row.judged_by = metrics.judged_by();
  const std::string validation = "validation/" + row.judged_by;
  if (const auto info = metrics.metrics.find(validation); info != metrics.metrics.end())
    row.info = info->second;
  for (const Json& epoch : metrics.history) {
    Json value = number_of(epoch, validation.c_str());
    const bool is_better =
        row.best.is_null() || (row.info.goal == "min" ? value < row.best : value > row.best);
    if (value.is_number() && is_better) row.best = std::move(value);
  }
  const auto epochs = run.value("training.epochs");
  if (epochs && epochs->is_number_integer()) row.epochs = *epochs;
  row.test = number_of(metrics.test, ("test/" + row.judged_by).c_str());
}

std::string shown(const Json& value, const MetricInfo& info) {
  return value.is_number() ? metric_text(value.get<double>(), info) : "-";
}

// Library errors name the file; what a trial said, or Slurm of its task, does not.
std::string error_of(const StatusRow& row) {
  const std::string run = row.sweep.empty() ? "" : row.run + ": ";
  const std::string log = row.log.empty() ? "" : "\n  log: " + escape(row.log);
  return escape(run) + escape_lines(row.error) + log;
}

// What resumes changed, where it makes the run another than its config tells: "optimizer.lr 0.01 ->
// 0.1 at step 8".
std::string shown_changes(const StatusRow& row) {
  std::vector<std::string> out;
  for (const Change& change : row.changes) {
    if (change.exact) continue;
    out.push_back(fmt::format("{} {} -> {} at step {}", change.key, change.from.dump(),
                              change.to.dump(), change.step));
  }
  return escape(fmt::format("{}", fmt::join(out, ", ")));
}

std::string shown_note(const std::string& note) {
  constexpr size_t kMostLetters = 40;
  const std::string line = note.substr(0, note.find('\n'));
  if (count_letters(line) <= kMostLetters) return line + (line == note ? "" : " ...");
  return line.substr(0, byte_of_letter(line, kMostLetters - 3)) + "...";
}

// The columns of tags and notes, where a run has any.
void add_labels(const std::vector<StatusRow>& rows, std::vector<TableColumn>& columns) {
  const auto add = [&](const char* name, int rank, const auto& shown) {
    TableColumn column{{name}, rank};
    for (const StatusRow& row : rows) column.cells.push_back(escape(shown(row)));
    const auto& cells = column.cells;
    if (!std::all_of(cells.begin() + 1, cells.end(), std::mem_fn(&std::string::empty)))
      columns.push_back(std::move(column));
  };
  add("tags", 2, [](const StatusRow& row) { return fmt::format("{}", fmt::join(row.tags, ", ")); });
  add("note", 3, [](const StatusRow& row) { return shown_note(row.note); });
}

std::string notes_of(const StatusRow& row) {
  std::string out;
  if (!row.error.empty()) out += "\n" + error_of(row);
  if (!row.exact) {
    const std::string changes = shown_changes(row);
    out += fmt::format("\n{}: not exact{}", escape(row.run), changes.empty() ? "" : ": " + changes);
  }
  if (!row.device_reason.empty()) {
    out += fmt::format("\nwarning: {}: trains on the cpu: {}", escape(row.run),
                       escape(row.device_reason));
  }
  if (!row.not_counted.empty())
    out += fmt::format("\n{}: {}: not counted", escape(row.run), escape(row.not_counted));
  return out;
}

StatusRow row_of(RunRecord run) {
  StatusRow row;
  row.run = run.path.string();
  row.status = "unreadable";
  row.error = run.error;
  if (!run.is_readable()) return row;
  try {
    row.step = saved_step(run);
  } catch (const Error& unreadable) {
    row.error = unreadable.what();
    return row;
  }
  Metrics& metrics = run.metrics;
  row.is_readable = true;
  row.status = run.status;
  add_progress(run, row);
  row.name = std::move(metrics.name);
  row.stopped_by = std::move(metrics.stopped_by);
  row.exact = metrics.exact;
  row.changes = std::move(metrics.changes);
  row.tags = std::move(metrics.tags);
  row.note = std::move(metrics.note);
  const Json hosts = metrics.environment.value("hosts", Json::array());
  for (const Json& host : hosts) {
    if (host.is_string()) row.hosts.push_back(host);
  }
  const Json device = metrics.execution.value("device", Json::object());
  const std::string why = device.value("why", "");
  if (why.starts_with(kUnusedGpu)) row.device_reason = why;
  return row;
}

}  // namespace

std::vector<StatusRow> read_status_rows(const std::vector<std::filesystem::path>& runs,
                                        size_t threads) {
  std::vector<StatusRow> rows(runs.size());
  read_each(runs, threads, [&](size_t i, RunRecord run) { rows[i] = row_of(std::move(run)); });
  return rows;
}

nlohmann::ordered_json status_json(const std::vector<StatusRow>& rows) {
  Json out = Json::array();
  for (const StatusRow& row : rows) out.push_back(json_of(row));
  return out;
}

// Where room is short, what is most telling stays.
std::string status_table(const std::vector<StatusRow>& rows, size_t width) {
  std::vector<TableColumn> columns = {{{"run"}},     {{"status"}},  {{"epoch"}},
                                      {{"step"}, 5}, {{"loss"}, 4}, {{"best validation"}, 1},
                                      {{"test"}}};
  std::string notes;
  for (const StatusRow& row : rows) {
    const std::string cells[] = {
        escape(row.run),
        shown_status_of(row),
        row.is_readable ? fmt::format("{}/{}", row.epoch, row.epochs.get<int64_t>()) : "-",
        row.is_readable ? grouped(row.step) : "-",
        row.loss.is_number() ? fixed_text(row.loss.get<double>(), 4) : "-",
        shown(row.best, row.info),
        shown(row.test, row.info)};
    for (size_t i = 0; i < columns.size(); ++i) columns[i].cells.push_back(cells[i]);
    notes += notes_of(row);
  }
  add_labels(rows, columns);
  return fitted(std::move(columns), width).text + wrapped(notes, width);
}

}  // namespace vitrine
