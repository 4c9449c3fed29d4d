#include "framework/runs/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/runs/nonfinite.h"
#include "framework/runs/object_reader.h"

namespace vitrine {

namespace {

using Object = Metrics::Object;

// What a command line or a file name holds may be no UTF-8; it must not cost the whole file.
std::string dump(const Object& value, int indent) {
  return value.dump(indent, ' ', false, Object::error_handler_t::replace);
}

Object or_null(const std::string& text) { return text.empty() ? Object() : Object(text); }

}  // namespace

std::string to_string(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kFinished:
      return "finished";
    case RunStatus::kStopped:
      return "stopped";
    case RunStatus::kDiverged:
      return "diverged";
    case RunStatus::kFailed:
      return "failed";
  }
  throw Error(ExitCode::kInternal, "a status of a run without a name");
}

std::string metric_text(double value, const MetricInfo& info) {
  if (std::isnan(value)) return "-";
  return info.unit == "fraction" ? fixed_text(100 * value, 2) + " %" : fixed_text(value, 4);
}

std::string shown_status(RunStatus status, bool lock_is_held) {
  return status == RunStatus::kRunning && !lock_is_held ? "interrupted" : to_string(status);
}

nlohmann::ordered_json Change::json() const {
  return {{"step", step}, {"key", key}, {"from", from}, {"to", to}, {"exact", exact}};
}

Change Change::from_json(const nlohmann::ordered_json& value, const std::string& where) {
  ObjectReader reader(value, where);
  Change out{reader.integer("step", 0), reader.string("key"), reader.at("from"), reader.at("to"),
             reader.boolean("exact")};
  reader.no_rest();
  return out;
}

std::string Metrics::judged_by() const {
  if (!best_by.empty()) return best_by.substr(best_by.find('/') + 1);
  for (const auto& [name, info] : metrics) {
    const bool is_plain = name.find('/') != name.npos && name.find('.') == name.npos;
    if (is_plain && info.goal == "max") return name.substr(name.find('/') + 1);
  }
  return "loss";
}

void Metrics::add_epoch(Object row) {
  const int64_t epoch = row.at("epoch").get<int64_t>();
  while (!history.empty() && history.back()["epoch"].get<int64_t>() >= epoch) history.pop_back();
  history.push_back(std::move(row));
}

std::string Metrics::text() const {
  Object infos = Object::object();
  for (const auto& [key, info] : metrics) infos[key] = {{"goal", info.goal}, {"unit", info.unit}};
  Object resumed = Object::array();
  for (const Change& change : changes) resumed.push_back(change.json());
  Object file = {
      {"format", kFormat},
      {"name", name},
      {"run", run},
      {"status", to_string(status)},
      {"exact", exact},
      {"tags", tags},
      {"note", note},
      {"started", started},
      {"finished", or_null(finished)},
      {"stopped_by", or_null(stopped_by)},
      {"seed", seed},
      {"command", command},
      {"config", config},
      {"config_sha256", config_sha256},
      {"keys", keys},
      {"contents", contents},
      {"execution", execution},
      {"changes", std::move(resumed)},
      {"dataset", dataset},
      {"model", model},
      {"environment", environment},
      {"metrics", std::move(infos)},
      {"best_by", or_null(best_by)},
      {"history", history},
      {"test", test},
      {"summary", summary},
      {"checkpoints", {{"last", or_null(last_checkpoint)}, {"best", or_null(best_checkpoint)}}}};
  name_nonfinite(file);
  return dump(file, 2) + "\n";
}

void Metrics::write(const Place& place) const { write_file_atomically(place, text()); }

void MetricRows::append(const Metrics::Object& row) {
  Object line = row;
  name_nonfinite(line);
  const std::string text = dump(line, -1) + "\n";
  file_.append(text);
  hash_.update(text);
  length_ += text.size();
}

bool MetricRows::take_up(uint64_t length, const std::string& sha256) {
  constexpr uint64_t kBlock = uint64_t{1} << 20;
  Sha256 hash;
  for (uint64_t offset = 0; offset < length;) {
    const std::string block =
        read_file_part(file_.place(), offset, std::min(kBlock, length - offset));
    if (block.empty()) return false;
    hash.update(block);
    offset += block.size();
  }
  if (hash.hex() != sha256) return false;
  hash_ = std::move(hash);
  length_ = length;
  return true;
}

void MetricRows::cut() { file_.truncate(length_); }

}  // namespace vitrine
