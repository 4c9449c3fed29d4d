#include "framework/runs/tensorboard.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <map>

#include "framework/config/node.h"
#include "framework/error.h"
#include "framework/files/json.h"
#include "framework/images/encode.h"
#include "framework/runs/test_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// What is told at the start and at the end of a run, and anew when it is taken further.
constexpr const char* kStart = "vitrine-start";
constexpr const char* kEnd = "vitrine-end";

Folder steps_in(const Folder& folder) { return Folder::make(folder / "steps"); }

// Behind the files that are there, by whose names TensorBoard goes.
int64_t name_after(const Folder& folder, double seconds) {
  auto out = static_cast<int64_t>(seconds);
  for (const std::string& name : folder.names()) {
    if (is_event_file(name)) out = std::max(out, seconds_of_event_file(name) + 1);
  }
  return out;
}

void cut(const Folder& folder, int64_t last) {
  for (const std::string& name : folder.names()) {
    if (!is_event_file(name)) continue;
    if (name.ends_with(kStart) || name.ends_with(kEnd)) {
      remove_file(folder / name);
    } else {
      cut_event_file(folder / name, last);
    }
  }
}

// The folder, with what is told at the start.
Folder begun(const Place& place, double seconds, const EventValues& values,
             const std::optional<TensorBoardFiles::Kept>& kept) {
  Folder folder = Folder::make(place);
  if (kept) {
    cut(folder, kept->last_epoch);
    cut(steps_in(folder), kept->last_row);
  }
  EventFile(folder, name_after(folder, seconds), kStart).write(seconds, 0, values);
  return folder;
}

EventValues scalars_of(const Json& values) {
  EventValues out;
  for (const auto& [name, value] : values.items()) {
    if (name == "epoch" || name == "step") continue;
    if (value.is_number()) out.scalar(name, value.get<double>());
  }
  return out;
}

// --- hyperparameters (tensorboard/plugins/hparams/plugin_data.proto)

// A google.protobuf.Value.
WireMessage value_of(const Json& value) {
  WireMessage out;
  if (value.is_number()) return out.real(2, value.get<double>());
  if (value.is_boolean()) return out.integer(4, value.get<bool>() ? 1 : 0);
  return out.bytes(3, value.is_string() ? value.get<std::string>() : value.dump());
}

// The value at "model.mlp"; of a component its type.
const Json* value_at(const Json& config, const std::string& path) {
  const Json* value = &config;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string key = path.substr(begin, end - begin);
    if (!value->is_object() || !value->contains(key)) return nullptr;
    value = &(*value)[key];
    begin = end + 1;
  }
  return value->is_object() && value->contains("type") ? &(*value)["type"] : value;
}

// The keys that results are computed from, or how, where their values are not the defaults.
std::vector<std::string> telling_keys_of(const Metrics& metrics) {
  std::vector<std::string> out;
  const auto is_one_of = [&](const char* role, const std::string& key) {
    const auto keys = metrics.keys.find(role);
    return keys != metrics.keys.end() && std::find(keys->begin(), keys->end(), key) != keys->end();
  };
  const auto set = metrics.keys.find("set");
  if (set == metrics.keys.end()) return out;
  for (const Json& key : *set) {
    const auto& path = key.get_ref<const std::string&>();
    if (!is_one_of("place", path) && !is_one_of("bookkeeping", path) && !is_one_of("label", path))
      out.push_back(path);
  }
  return out;
}

void add_session_start(const Metrics& metrics, double seconds, EventValues& out) {
  WireMessage start, content;
  for (const std::string& key : telling_keys_of(metrics)) {
    const Json* value = value_at(metrics.config, key);
    if (!value || value->is_null()) continue;
    WireMessage entry;
    entry.bytes(1, key).message(2, value_of(*value));
    start.message(1, entry);
  }
  start.real(5, seconds);
  out.hparams("_hparams_/session_start_info", content.message(3, start));
}

EventValues start_of(const Metrics& metrics, double seconds, const std::string& config) {
  EventValues out;
  std::string text;
  for (size_t begin = 0; begin < config.size();) {
    const size_t end = std::min(config.find('\n', begin), config.size());
    text += "    " + config.substr(begin, end - begin) + "\n";  // as Markdown shows code
    begin = end + 1;
  }
  out.text("config", text);
  add_session_start(metrics, seconds, out);
  return out;
}

void add_session_end(double seconds, EventValues& out) {
  constexpr int kSuccess = 1;
  WireMessage end, content;
  end.integer(1, kSuccess).real(2, seconds);
  out.hparams("_hparams_/session_end_info", content.message(4, end));
}

// --- the images that went most wrong

constexpr int64_t kColumns = 8, kGap = 1;

// Tiles of images of the same shape in rows, on black.
Image tiled(const std::vector<Image>& images) {
  const int64_t channels = images[0].channels, height = images[0].height, width = images[0].width;
  const auto count = static_cast<int64_t>(images.size());
  const int64_t columns = std::min(count, kColumns), rows = (count + columns - 1) / columns;
  Image out;
  out.width = columns * (width + kGap) - kGap;
  out.height = rows * (height + kGap) - kGap;
  out.channels = channels;
  out.pixels.assign(static_cast<size_t>(out.width * out.height * channels), 0);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t top = i / columns * (height + kGap), left = i % columns * (width + kGap);
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(images[static_cast<size_t>(i)].pixels.begin() + y * width * channels,
                  width * channels, out.pixels.begin() + ((top + y) * out.width + left) * channels);
    }
  }
  return out;
}

// How sure the model was of a class, or how far its values are from the right ones.
std::string table_of(const Json& images) {
  const char* last = images.at(0).contains("error") ? "error" : "probability";
  std::string out =
      fmt::format("| number | index | is | taken for | {} |\n|---|---|---|---|---|\n", last);
  for (size_t i = 0; i < images.size(); ++i) {
    const Json& image = images[i];
    out += fmt::format("| {} | {} | {} | {} | {:.4f} |\n", i + 1, image.at("index").get<int64_t>(),
                       answer_text(image.at("target")), answer_text(image.at("predicted")),
                       image.at(last).get<double>());
  }
  return out;
}

// Throws Error(kData) where one of them cannot be read, or is of another shape than the first.
std::vector<Image> read_images(const Json& worst, const std::filesystem::path& run) {
  std::vector<Image> out;
  for (const Json& each : worst) {
    const std::string name = escape(each.at("file").get<std::string>());
    out.push_back(decode_encoded(read_worst_image(run, each), name));
    const Image &first = out.front(), &last = out.back();
    if (last.width != first.width || last.height != first.height || last.channels != first.channels)
      throw Error(ExitCode::kData, name + ": is of another shape than the first");
  }
  return out;
}

void add_worst(const Json& test, const std::filesystem::path& run, EventValues& out) {
  if (!test.is_object() || !test.contains("tasks")) return;
  for (const auto& [task, values] : test.at("tasks").items()) {
    const bool is_shown = values.contains("worst") && !values.at("worst").empty() &&
                          values.at("worst")[0].contains("file");
    if (!is_shown) continue;
    const std::string tag = test.at("tasks").size() == 1 ? "test/worst" : "test/worst." + task;
    out.image(tag, tiled(read_images(values.at("worst"), run)));
    out.text(tag, table_of(values.at("worst")));
  }
}

}  // namespace

TensorBoardFiles::TensorBoardFiles(const Place& folder, double seconds, const Metrics& metrics,
                                   const std::string& config, const std::optional<Kept>& kept)
    : folder_(begun(folder, seconds, start_of(metrics, seconds, config), kept)),
      epochs_(folder_, name_after(folder_, seconds)),
      steps_(steps_in(folder_), name_after(steps_in(folder_), seconds)) {}

void TensorBoardFiles::row(double seconds, const Json& row) {
  EventFile& file = row.at("kind") == "epoch" ? epochs_ : steps_;
  file.write(seconds, row.at("step").get<int64_t>(), scalars_of(row));
}

void TensorBoardFiles::write(double seconds, int64_t step, const EventValues& values) {
  epochs_.write(seconds, step, values);
}

void TensorBoardFiles::finish(double seconds, const Metrics& metrics, const Json& test,
                              const std::filesystem::path& run) {
  EventValues values = scalars_of(metrics.test);
  add_worst(test, run, values);
  add_session_end(seconds, values);
  EventFile file(folder_, name_after(folder_, seconds), kEnd);
  const int64_t step =
      metrics.history.empty() ? 0 : metrics.history.back().at("step").get<int64_t>();
  file.write(seconds, step, values);
}

namespace {

// "2026-11-22T10:15:00Z" since 1970; 0 of any other text.
double seconds_of(const std::string& time) {
  std::tm parts{};
  const char* end = strptime(time.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return end && *end == '\0' ? static_cast<double>(timegm(&parts)) : 0;
}

// When steps were taken, which rows do not tell: epochs took the seconds that they tell, one after
// the other, and steps lie evenly in them.
class Clock {
 public:
  explicit Clock(const Metrics& metrics) : now_(seconds_of(metrics.started)) {
    ends_[0] = now_;
    for (const Json& epoch : metrics.history) {
      const auto seconds = epoch.find("seconds");
      if (seconds != epoch.end() && seconds->is_number()) now_ += seconds->get<double>();
      ends_[epoch.at("step").get<int64_t>()] = now_;
    }
  }

  double at(int64_t step) const {
    const auto after = ends_.lower_bound(step);
    if (after == ends_.end()) return now_;
    if (after == ends_.begin() || after->first == step) return after->second;
    const auto before = std::prev(after);
    const double share = static_cast<double>(step - before->first) /
                         static_cast<double>(after->first - before->first);
    return before->second + share * (after->second - before->second);
  }
  double end() const { return now_; }

 private:
  double now_;
  std::map<int64_t, double> ends_;  // of epochs, by step
};

Json test_of(const std::filesystem::path& run) {
  const Place place = run / "test.json";
  if (!exists(place)) return nullptr;
  constexpr uint64_t kMost = uint64_t{1} << 30;
  return parse_ordered_json(read_file(place, kMost), place.shown());
}

}  // namespace

void write_event_files(const std::filesystem::path& run, const Place& folder) {
  const Metrics metrics = Metrics::read(run / "metrics.json");
  const Clock clock(metrics);
  const Place rows = run / "metrics.jsonl";
  const auto told = exists(rows) ? read_rows(rows) : std::vector<Json>();
  const bool is_finished = metrics.status == RunStatus::kFinished;
  const Json test = is_finished ? test_of(run) : nullptr;
  TensorBoardFiles files(folder, clock.at(0), metrics, to_yaml(Node::from_json(metrics.config)));
  for (const Json& row : told) files.row(clock.at(row.at("step").get<int64_t>()), row);
  if (!is_finished) return;
  try {
    files.finish(clock.end(), metrics, test, run);
  } catch (const Json::exception&) {
    throw Error(ExitCode::kData, Place(run / "test.json").shown() + ": is not what a test writes");
  }
}

}  // namespace vitrine
