#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/runs/metrics.h"
#include "framework/runs/nonfinite.h"
#include "framework/runs/object_reader.h"

namespace vitrine {

namespace {

using Object = Metrics::Object;

constexpr uint64_t kMaxMetricsBytes = uint64_t{256} << 20;
constexpr RunStatus kStatuses[] = {RunStatus::kRunning, RunStatus::kFinished, RunStatus::kStopped,
                                   RunStatus::kDiverged, RunStatus::kFailed};

void check_history(ObjectReader& file, const std::string& where) {
  int64_t before = -1;
  size_t i = 0;
  for (const Object& value : file.array("history")) {
    ObjectReader row(value, [&] { return fmt::format("{}: history[{}]", where, i); });
    const int64_t epoch = row.integer("epoch", 0);
    row.integer("step", 0);
    row.rest_are_numbers();
    if (epoch <= before) {
      throw Error(ExitCode::kData,
                  fmt::format("{} is not above that of the row before it", row.place("epoch")));
    }
    before = epoch;
    ++i;
  }
}

std::map<std::string, MetricInfo> read_infos(ObjectReader& file, const std::string& where) {
  static const std::vector<std::string> goals = {"max", "min", "none"};
  std::map<std::string, MetricInfo> infos;
  for (const auto& [name, value] : file.object("metrics").items()) {
    const auto here = [&where, &key = name] {
      return fmt::format("{}: metrics.{}", where, escape(key));
    };
    ObjectReader info(value, here);
    infos[name] = {info.one_of("goal", goals), info.string("unit")};
    info.no_rest();
  }
  return infos;
}

void check_test(ObjectReader& file, const std::string& where) {
  ObjectReader reader(file.object("test"), [&] { return where + ": test"; });
  if (reader.has("checkpoint")) reader.string_or_null("checkpoint");
  reader.rest_are_numbers();
}

RunStatus read_status(ObjectReader& file) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const RunStatus status : kStatuses) out.push_back(to_string(status));
    return out;
  }();
  const std::string name = file.one_of("status", names);
  return kStatuses[std::find(names.begin(), names.end(), name) - names.begin()];
}

// Runs of earlier versions do not tell.
std::string read_reason(ObjectReader& file) {
  if (!file.has("stopped_by") || file.at("stopped_by").is_null()) return "";
  return file.one_of("stopped_by", {std::begin(Metrics::kReasons), std::end(Metrics::kReasons)});
}

void check_format(ObjectReader& file) {
  const int64_t format = file.integer("format", 1);
  if (format == Metrics::kFormat) return;
  throw Error(ExitCode::kData, fmt::format("{}: this program reads format {}, this file has {}",
                                           file.place("format"), Metrics::kFormat, format));
}

// What a file of an earlier version does not tell is empty.
void read_meanings(ObjectReader& file, const std::string& where, Metrics& metrics) {
  if (file.has("keys")) {
    ObjectReader keys(file.object("keys"), [&] { return where + ": keys"; });
    for (const auto& [role, paths] : file.object("keys").items()) keys.array_of_strings(role);
  }
  if (file.has("contents")) {
    ObjectReader contents(file.object("contents"), [&] { return where + ": contents"; });
    for (const auto& [path, digest] : file.object("contents").items()) contents.string(path);
  }
  if (file.has("execution")) {
    ObjectReader execution(file.object("execution"), [&] { return where + ": execution"; });
    for (const auto& [key, choice] : file.object("execution").items()) {
      const auto here = [&execution, &name = key] { return execution.place(name); };
      ObjectReader reader(execution.object(key), here);
      reader.at("value");
      reader.boolean("derived");
      reader.string("why");
      reader.no_rest();
    }
  }
  if (file.has("changes")) {
    for (const Object& change : file.array("changes")) {
      metrics.changes.push_back(
          Change::from_json(change, fmt::format("{}: changes[{}]", where, metrics.changes.size())));
    }
  }
}

void read_parts(ObjectReader& file, const std::string& where, Metrics& metrics) {
  for (const char* part : {"config", "dataset", "model", "environment"}) file.object(part);
  metrics.metrics = read_infos(file, where);
  if (file.has("best_by"))
    metrics.best_by = file.string_or_null("best_by");  // else an earlier version
  check_history(file, where);
  check_test(file, where);
  ObjectReader(file.object("summary"), [&] { return where + ": summary"; }).rest_are_numbers();
  ObjectReader checkpoints(file.at("checkpoints"), [&] { return where + ": checkpoints"; });
  metrics.last_checkpoint = checkpoints.string_or_null("last");
  metrics.best_checkpoint = checkpoints.string_or_null("best");
  checkpoints.no_rest();
}

// Takes over the epochs that metrics.jsonl tells of and metrics.json not yet.
void add_new_epochs(Metrics& metrics, const Place& rows) {
  const int64_t last = metrics.history.empty() ? 0 : metrics.history.back()["epoch"].get<int64_t>();
  for (Object& row : epochs_after(rows, last)) metrics.add_epoch(std::move(row));
}

}  // namespace

Metrics Metrics::read_alone(const Place& place) {
  return parse(read_file(place, kMaxMetricsBytes), place.path().string());
}

Metrics Metrics::read(const Place& place) {
  Metrics out = read_alone(place);
  if (out.status == RunStatus::kRunning) add_new_epochs(out, place.beside("metrics.jsonl"));
  return out;
}

Metrics Metrics::of_run(const Place& place) {
  try {
    return read(place);
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("the run's metrics are unusable: {}", error.what()),
                error.system_code());
  }
}

Metrics Metrics::parse(std::string_view text, std::string_view name) {
  const std::string where = escape(name);
  Object object = parse_ordered_json(text, name);
  restore_nonfinite(object, where);
  ObjectReader file(object, where);
  check_format(file);
  Metrics metrics;
  metrics.name = file.string("name");
  metrics.run = file.string("run");
  metrics.status = read_status(file);
  metrics.exact = file.boolean("exact");
  metrics.tags = file.strings("tags");
  metrics.note = file.string("note");
  metrics.started = file.string("started");
  metrics.finished = file.string_or_null("finished");
  metrics.stopped_by = read_reason(file);
  metrics.seed = file.integer("seed", INT64_MIN);
  metrics.command = file.strings("command");
  metrics.config_sha256 = file.string("config_sha256");
  read_parts(file, where, metrics);
  read_meanings(file, where, metrics);
  file.no_rest();
  metrics.history = std::move(object["history"].get_ref<Object::array_t&>());
  const auto take = [&](const char* part, Object& into) {
    if (const auto found = object.find(part); found != object.end()) into = std::move(*found);
  };
  take("config", metrics.config);
  take("dataset", metrics.dataset);
  take("model", metrics.model);
  take("environment", metrics.environment);
  take("keys", metrics.keys);
  take("contents", metrics.contents);
  take("execution", metrics.execution);
  take("test", metrics.test);
  take("summary", metrics.summary);
  return metrics;
}

}  // namespace vitrine
