#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/config/fields.h"
#include "framework/config/load.h"
#include "framework/config/problems.h"
#include "framework/drawing/picture.h"
#include "framework/engine/data_view.h"
#include "framework/error.h"
#include "framework/images/image.h"
#include "framework/images/resize_mode.h"
#include "framework/runs/metrics.h"

// What the command line asks of training, in types that need no torch: the engine is a library that
// is loaded when it is first needed.
namespace vitrine {

struct Config;

// How a run is computed where that changes no result by what is meant: a device, threads.
struct Execution {
  std::string key;  // of the config
  nlohmann::ordered_json value;
  bool derived = false;  // not asked for: chosen by the program
  std::string why;       // "asked for", or the reason of the choice
};

// How the reason begins why a run computes on the CPU although Slurm has given it a GPU.
inline const std::string kUnusedGpu = "no GPU can be used here, although the job holds one";

// A config that was read, completed and found sound.
struct ResolvedConfig {
  std::shared_ptr<const Config> config;
  std::string file;       // what messages call it
  Node written;           // as merged from files and command line, with places
  Node resolved;          // every default included; what is derived stands there as "auto" or null
  std::vector<Key> keys;  // of `resolved`
  std::vector<Execution> execution;  // what was derived, and what was asked for in its place
  std::vector<std::string> notes;    // what may not be meant, a line each
  std::string name;
  std::string device;  // "auto" is decided
  int64_t threads = 1;
  // What the rows of its runs tell how good a model is: "validation/loss", "test/accuracy", ...
  std::map<std::string, MetricInfo> metrics;
  std::string best_by;  // the one of validation that chooses the best checkpoint
  // The keys of a resumed run that differ from its config.yaml, or that the command line names.
  std::set<std::string> asked;
};

struct Progress {
  int64_t epoch = 0, epochs = 0;  // epoch from 1
  int64_t step = 0, total_steps = 0;
  double loss = 0;
  double images_per_second = 0;
  double seconds_left = 0;
};

// How training talks to whoever started it.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void message(const std::string& text) = 0;  // one line for the log
  virtual void warning(const std::string& text) = 0;
  virtual void progress(const Progress& progress) = 0;  // often; to be shown in passing
  virtual void download(uint64_t received, uint64_t total) = 0;
  // Images are read before anything else can be done: so many of all. The last call has all.
  virtual void reading(int64_t /*images*/, int64_t /*all*/) {}
  // 0, or the exit code with which the run is to stop at the next step (kStopped, kInterrupted or
  // kTerminated).
  virtual ExitCode stop_requested() = 0;
};

// What a config asks of the machine.
struct Workload {
  int64_t parameters = 0, flops_per_image = 0;  // of a forward pass
  int64_t images_per_epoch = 0, steps_per_epoch = 0, steps = 0;
  bool validates = false;

  // Floating-point operations of all forward passes; times go with them.
  double operations() const {
    return static_cast<double>(flops_per_image) * static_cast<double>(images_per_epoch) *
           static_cast<double>(steps) / static_cast<double>(steps_per_epoch);
  }
};

struct TrainRequest {
  std::shared_ptr<const ResolvedConfig> config;
  std::filesystem::path runs_root = "runs";
  std::optional<std::filesystem::path> run_dir;  // instead of a fresh folder under runs_root
  bool resume = false;                           // go on with the run in run_dir
  bool dry_run = false;
  std::optional<int64_t> stop_after;  // step
  std::vector<std::string> command;
};

struct TrainResult {
  ExitCode code = ExitCode::kDone;
  std::filesystem::path run;
  nlohmann::ordered_json summary;
};

// Where trained weights come from: a run with one of its checkpoints, or a model.safetensors.
struct WeightsSource {
  std::filesystem::path path;
  std::string checkpoint;  // "best", "last", a step, or empty: what the run tested
};

// What a model is written as in ONNX.
struct OnnxOptions {
  int64_t opset = 17;         // the version of ONNX' operators: 17 to 23
  bool takes_floats = false;  // images after all transforms, instead of bytes
};

// How image files become what a model takes.
struct ImageOptions {
  bool invert = false;
  bool centre = false;               // as centred_digit does, instead of resizing
  std::optional<ResizeMode> resize;  // none: as the data were that the model was trained on
  // Behind what is transparent, and around what is padded; none: as those data had, else white.
  std::optional<Colour> background;
};

struct PredictRequest {
  WeightsSource weights;
  std::vector<std::string> images;  // files, folders and patterns of them; "-" is standard input
  ImageOptions reading;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::shared_ptr<const ResolvedConfig> resolve(const ConfigSource& source) = 0;
  // Resolves a config that was merged already; `file` names it in messages, `also_known` tells of
  // keys that are known elsewhere. `elsewhere`: another machine computes it, whose devices are not
  // known here. Throws ConfigError.
  virtual std::shared_ptr<const ResolvedConfig> resolve(const Node& written,
                                                        const std::string& file,
                                                        const Problems::KeyLister& also_known = {},
                                                        bool elsewhere = false) = 0;
  // The keys that a config may have, with those of the plug-ins that `written` names.
  virtual KnownKeys known_keys(const Node& written) = 0;
  // Sets the threads of the whole process; before anything is computed.
  virtual void set_threads(int64_t threads) = 0;
  virtual TrainResult train(const TrainRequest& request, Observer& observer) = 0;
  // Resolves what a run goes on with: its own config, or that of `source.file` if it is not empty,
  // with overrides. Throws Error(kCheckpoint) for what a run under way cannot take up.
  virtual std::shared_ptr<const ResolvedConfig> resolve_resumed(const std::filesystem::path& run,
                                                                const ConfigSource& source) = 0;
  // Resolves what is tested: the config of the run that `weights` name, or one that names
  // model.weights. Of a run that has ended the program in its model file stands for the model,
  // where it gives the same bits, or where the model's parts are not there. Throws Error(kUsage)
  // for what the command line sets without effect on a test.
  virtual std::shared_ptr<const ResolvedConfig> resolve_tested(
      const ConfigSource& source, const std::optional<WeightsSource>& weights) = 0;
  // {"test/loss": ..., ...}, under "metrics" goal and unit of each, and under "tasks" what
  // test.json has; null where a stop was requested meanwhile. The answer to each image goes to
  // `predictions`, if that is not empty.
  virtual nlohmann::ordered_json test(const std::shared_ptr<const ResolvedConfig>& config,
                                      const std::optional<WeightsSource>& weights,
                                      Observer& observer,
                                      const std::filesystem::path& predictions = {}) = 0;
  // One entry an image: {"image", "error"} of one that cannot be read, else {"image", "tasks":
  // [...]}, of each task {"task", "class", "probability",
  // "probabilities": {...}}; of several labels {"task", "labels": [...], "probabilities": {...}};
  // of a regression {"task", "values": {...}}.
  virtual nlohmann::ordered_json predict(const PredictRequest& request, Observer& observer) = 0;
  // {"layers": [...], "parameters", "flops_per_image", "type", "image"}
  virtual nlohmann::ordered_json summarize(const std::shared_ptr<const ResolvedConfig>& config) = 0;
  // Loads the data once, which downloads it where that is allowed; false where a stop was requested
  // meanwhile. Throws Error(kData).
  virtual bool load_data(const std::shared_ptr<const ResolvedConfig>& config,
                         Observer& observer) = 0;
  // Looks at its data set; `shows`: with images. None where a stop was requested meanwhile. Throws
  // Error(kData).
  virtual std::optional<DataView> look_at_data(const std::shared_ptr<const ResolvedConfig>& config,
                                               bool shows, Observer& observer) = 0;
  // Writes the images and labels of its data set into a safetensors file.
  virtual void pack(const std::shared_ptr<const ResolvedConfig>& config,
                    const std::filesystem::path& file, Observer& observer) = 0;
  virtual Workload workload(const std::shared_ptr<const ResolvedConfig>& config) = 0;
  // Seconds that a step takes here, measured over a few of them on images of noise.
  virtual double time_step(const std::shared_ptr<const ResolvedConfig>& config) = 0;
  // How many devices of this kind there are.
  virtual int64_t devices(const std::string& device) = 0;
  virtual void export_weights(const WeightsSource& weights, const std::filesystem::path& file,
                              const std::string& layout) = 0;
  // Writes the model as ONNX; returns what its input and outputs are, for who reads it. Throws
  // Error(kUsage) for a model that has no equal there, with the part.
  virtual std::string export_onnx(const WeightsSource& weights, const std::filesystem::path& file,
                                  const OnnxOptions& options) = 0;
  // The picture of a registered plot; `options` is a mapping as in a config. Plots of a model look
  // at that of `weights`.
  virtual Picture plot(const std::string& name, Node options,
                       const std::optional<WeightsSource>& weights, Observer& observer) = 0;
  virtual nlohmann::ordered_json schema() = 0;
};

// Loads libvitrine_engine.so the first time, and the plug-ins that the command line names. Throws
// Error(kPlugin).
Engine& engine();
// The keys that engine().known_keys() tells; none where the engine cannot be loaded. For messages:
// they are worth the third of a second that it takes.
KnownKeys known_keys_of_engine(const Node& written);
// Called by the engine's library as it is loaded.
void provide_engine(Engine& engine);

}  // namespace vitrine
