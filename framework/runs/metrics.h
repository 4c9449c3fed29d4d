#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/file.h"
#include "framework/files/sha256.h"

namespace vitrine {

enum class RunStatus { kRunning, kFinished, kStopped, kDiverged, kFailed };

std::string to_string(RunStatus status);  // "running", "finished", ...

// The status in the run's metrics.json, except that a `running` whose lock nobody holds is
// "interrupted". Whether it is held must be asked before metrics.json is read.
std::string shown_status(RunStatus status, bool lock_is_held);

struct MetricInfo {
  std::string goal;  // "max", "min" or "none": neither is better
  std::string unit;  // "fraction", "nats", ...; may be empty
};

// The value for people: "97.25 %" of a fraction, else four digits behind the point; "-" where there
// is none.
std::string metric_text(double value, const MetricInfo& info);

// What a resume changed: a key of the config, or something of the environment ("environment.isa").
struct Change {
  int64_t step = 0;  // that the run was at
  std::string key;
  nlohmann::ordered_json from, to;
  bool exact = true;  // the run equals one that had the new value from the start

  nlohmann::ordered_json json() const;
  static Change from_json(const nlohmann::ordered_json& value, const std::string& where);
};

// The tag of a run that tries a sweep's winner again on a seed that chose nothing.
inline constexpr const char* kConfirmingTag = "confirming";

// What metrics.json holds, format 1; docs/metrics.schema.json describes it. Mappings keep the order
// of their keys.
class Metrics {
 public:
  using Object = nlohmann::ordered_json;
  static constexpr int64_t kFormat = 1;
  static constexpr const char* kReasons[] = {"epochs", "max_steps", "early_stopping", "stop_after",
                                             "signal", "diverged",  "error",          "callback"};

  std::string name;
  std::string run;
  RunStatus status = RunStatus::kRunning;
  bool exact = true;
  std::vector<std::string> tags;
  std::string note;
  std::string started;   // as utc_now() writes it
  std::string finished;  // empty (null in the file) until the run has ended
  // The one of a callback of this type that asked for the end.
  static const char* reason_of_end(const std::string& type) {
    return type == "early_stopping" ? "early_stopping" : "callback";
  }

  // Why it ended, one of kReasons; empty (null in the file) until then.
  std::string stopped_by;
  int64_t seed = 0;
  std::vector<std::string> command;
  Object config = Object::object();
  std::string config_sha256;
  // What keys of the config mean, for those that are not plain results: lists of their paths under
  // "place", "execution", "bookkeeping", "label" and "replicate"; under "set" those of all roles
  // whose value is not their default.
  Object keys = Object::object();
  Object contents = Object::object();   // of places: SHA-256 of the file at each
  Object execution = Object::object();  // {"device": {"value": "cpu", "derived": true, "why": ""}}
  std::vector<Change> changes;          // by resumes, in order
  Object dataset = Object::object();
  Object model = Object::object();
  Object environment = Object::object();
  std::map<std::string, MetricInfo> metrics;
  std::string best_by;             // the one that chose the best checkpoint: "validation/accuracy"
  std::vector<Object> history;     // one row an epoch: "epoch", "step" and named numbers
  Object test = Object::object();  // named numbers and "checkpoint"; empty until tested
  Object summary = Object::object();
  std::string last_checkpoint;  // "step-00002345"; empty (null in the file) when there is none
  std::string best_checkpoint;

  // What a model of this run is judged by, without the split: "accuracy". Of a run of an earlier
  // version, which does not tell, the first metric that is larger for a better model.
  std::string judged_by() const;

  // Appends to `history`, first dropping rows of this epoch or later ones: a resumed run may repeat
  // them.
  void add_epoch(Object row);
  void set_test(Object values) { test = std::move(values); }
  void set_status(RunStatus value) { status = value; }

  // The file's text: strict JSON. Values that are not finite are null and named under "nonfinite",
  // as in "history[0].train/loss".
  std::string text() const;
  void write(const Place& place) const;  // atomically; Error(kFailed)

  // read and parse throw Error(kData), which begins with the path or name, for unknown or missing
  // keys and values of the wrong type. What was not finite is NaN again. A run under way writes
  // this file more seldom than it ends epochs: of one that says "running", be it killed since, read
  // adds the epochs that are in the metrics.jsonl beside it alone.
  static Metrics read(const Place& place);
  // The file by itself, without those epochs.
  static Metrics read_alone(const Place& place);
  // Reads it for testing a run and drawing it: what is wrong is an Error(kCheckpoint).
  static Metrics of_run(const Place& place);
  static Metrics parse(std::string_view text, std::string_view name);
};

// Appends to metrics.jsonl: a row has "kind" ("step" or "epoch"), "step", "epoch" and named
// numbers; one that is not finite is null and named in the row's "nonfinite".
class MetricRows {
 public:
  explicit MetricRows(const Place& place) : file_(place) {}
  void append(const Metrics::Object& row);
  void flush() { file_.flush(); }  // to the disk; what a checkpoint needs before it records them
  // Bytes of what was taken up and appended since.
  uint64_t length() const { return length_; }
  std::string sha256() const { return hash_.hex(); }
  bool is_empty() const { return file_.size() == 0; }
  // Takes up the first `length` bytes, which a checkpoint recorded with their SHA-256. False, and
  // nothing is taken up, where the file begins with others or is shorter. Throws Error(kData).
  bool take_up(uint64_t length, const std::string& sha256);
  // Drops what is behind what was taken up. Throws Error(kFailed).
  void cut();

 private:
  AppendFile file_;
  uint64_t length_ = 0;
  Sha256 hash_;
};

// The rows of a metrics.jsonl. A last line without its end, as a killed run leaves it, is dropped.
// Throws Error(kData), which tells the line.
std::vector<Metrics::Object> read_rows(const Place& place);
std::vector<Metrics::Object> parse_rows(std::string_view text, std::string_view name);
// The epochs' rows, as Metrics::history has them. Rows of steps, of which there may be millions,
// are passed over without a look at what they hold, and so is what lies behind `length` bytes.
std::vector<Metrics::Object> read_epochs(const Place& place, uint64_t length = UINT64_MAX);
// The epochs above `after`, read from the end of the file: it takes as long as there is that is
// new. None where there is no such file.
std::vector<Metrics::Object> epochs_after(const Place& place, int64_t after);

}  // namespace vitrine
