#include "framework/training/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/runs/run_directory.h"
#include "framework/training/backend.h"

namespace vitrine {

void CheckpointOptions::visit(Fields& field) {
  field("every", every, "how often a checkpoint is saved")
      .words({"save_every", "checkpoint_every", "save_interval", "save_steps", "interval",
              "frequency"});
  field("keep", keep, "how many of the last ones are kept, besides the best", at_least(1))
      .words({"save_top_k", "save_total_limit", "max_checkpoints"});
}

void EarlyStopping::visit(Fields& field) {
  field("metric", metric, "what must improve: validation/ and a metric, or validation/loss")
      .words({"monitor"});
  field("patience", patience, "epochs without improvement before training ends", at_least(1));
  field("min_delta", min_delta, "smallest change that counts as an improvement", at_least(0))
      .words({"delta", "tolerance", "threshold"});
}

constexpr int64_t kMost = 1'000'000'000;

void TrainingOptions::visit(Fields& field) {
  // Far beyond what anyone computes, and far below where products of these leave 64 bits.
  field("epochs", epochs, "passes over the training set", between(1, kMost))
      .words({"max_epochs", "num_epochs", "n_epochs"})
      .may_change(OnResume::kExactly);
  field("max_steps", max_steps, "optimizer steps after which training ends, whatever the epochs",
        at_least(1))
      .words({"steps", "num_steps", "iterations", "iters", "max_iters"})
      .may_change(OnResume::kExactly);
  field("batch_size", batch_size, "images a forward pass", between(1, kMost))
      .words({"batch", "bs", "minibatch"})
      .tested();
  field("accumulate", accumulate, "batches whose gradients make one optimizer step",
        between(1, kMost))
      .words({"grad_accum", "accumulation_steps", "gradient_accumulation_steps",
              "accumulate_grad_batches"});
  field(
      "precision", precision,
      "what products are computed in; bfloat16 is for backend: layers, and weights, optimizer and "
      "losses stay float32",
      one_of({kFloat32, kBfloat16}))
      .words({"amp", "autocast", "mixed_precision", "bf16", "fp16", "half"})
      .tested();
  field("clip_norm", clip_norm, "largest norm of the whole gradient", above(0))
      .words({"clip", "grad_clip", "clip_grad_norm", "gradient_clip_val", "gradient_clipping",
              "max_grad_norm"})
      .may_change(OnResume::kMarked);
  field("ema_decay", ema_decay,
        "decay of the moving average of weights, which is then what is tested", from_below(0, 1))
      .words({"ema", "moving_average"});
  field("mix", mix,
        "how the images of a batch are mixed with each other, and their labels; of several one is "
        "drawn for each batch")
      .words({"mixup", "cutmix", "mixup_alpha", "cutmix_alpha", "mixup_prob"});
  field("metrics", metrics,
        "what is counted besides the loss; none listed: the usual one of a task")
      .words({"metric", "eval_metrics", "compute_metrics"})
      .is(Role::kBookkeeping)
      .may_change(OnResume::kNever)
      .tested();
  field("best_by", best_by,
        "what the best checkpoint is chosen by, of equals the loss; empty: the first metric of "
        "validation")
      .words({"metric_for_best_model", "save_best", "checkpoint_metric"});
  field("early_stopping", early_stopping, "end training when validation no longer improves")
      .words({"early_stop"})
      .may_change(OnResume::kMarked);
  field("log_every", log_every, "steps between two rows of metrics.jsonl", at_least(1))
      .words({"log_interval", "log_freq", "print_freq", "logging_steps"})
      .is(Role::kBookkeeping);
  field("checkpoint", checkpoint, "when checkpoints are saved and how many are kept")
      .words({"checkpointing", "ckpt"})
      .is(Role::kBookkeeping);
  field("overfit_batches", overfit_batches,
        "train on the first N batches alone, to see whether the model can learn at all",
        at_least(1))
      .words({"overfit", "limit_batches", "limit_train_batches"});
}

constexpr int64_t kMostThreads = 1024;

void Config::visit(Fields& field) {
  field("name", name, "name of the experiment; its runs are kept under runs/<name>")
      .words({"run_name", "exp_name", "experiment_name", "project", "title"})
      .is(Role::kLabel)
      .may_change(OnResume::kNever);
  field("seed", seed, "seed of weights, batch order, dropout and augmentation", at_least(0))
      .words({"random_seed", "random_state"})
      .is(Role::kReplicate);
  field("replicate", replicate, "the keys whose other values repeat the experiment")
      .words({"repeats", "folds"})
      .is(Role::kBookkeeping);
  field("device", device, "where to compute; auto takes cuda, then mps, then cpu",
        one_of({"auto", "cpu", "cuda", "mps"}))
      .words({"accelerator", "gpu", "gpus", "cuda"})
      .is(Role::kExecution)
      .tested();
  field("backend", backend,
        "how the model is executed: fused, recorded and by the kernel for CPUs; layers, in "
        "libtorch; auto takes the faster one that serves it",
        one_of({"auto", kFused, kLayers}))
      .words({"encoder", "implementation", "kernel", "engine"})
      .is(Role::kExecution)
      .tested();
  field("threads", threads, "threads on the CPU; null takes what is faster, one or one a core",
        between(1, kMostThreads))
      .words({"cores", "cpus", "num_threads", "workers", "num_workers"})
      .is(Role::kExecution)
      .tested();
  field("step_graph", step_graph,
        "whether a step is recorded once and then repeated as a whole, on devices that have such "
        "graphs (cuda)")
      .words({"cuda_graph", "cuda_graphs", "cudagraph", "use_cuda_graph", "graph_capture"})
      .is(Role::kExecution);
  field("note", note, "anything to remember about this experiment")
      .words({"comment", "description"})
      .is(Role::kLabel);
  field("tags", tags, "words to find runs by").words({"keywords"}).is(Role::kLabel);
  field("plugins", plugins, "shared libraries with more components")
      .words({"libraries", "imports", "extensions"})
      .is(Role::kPlace)
      .tested();
  field("experiment", experiment, "how the model is trained").words({"loop"});
  field("dataset", dataset, "what it is trained on").words({"data", "datamodule"}).tested();
  field("model", model, "what is trained")
      .words({"network", "net", "arch", "architecture", "backbone"})
      .tested();
  field("loss", loss, "what is minimised").words({"criterion", "objective"}).tested();
  field("optimizer", optimizer, "how weights are updated")
      .words({"optim", "opt", "solver"})
      .may_change(OnResume::kOptions);
  field("schedule", schedule, "how the learning rate changes")
      .words({"scheduler", "lr_schedule", "lr_scheduler", "learning_rate_schedule",
              "lr_scheduler_type", "sched"})
      .may_change(OnResume::kMarked);
  field("callbacks", callbacks, "what is called as training goes on, and may change it")
      .words({"callback", "hooks"})
      .may_change(OnResume::kOptions);
  field("loggers", loggers, "what writes down how a run goes, besides its own files")
      .words({"logger", "logging", "report_to"})
      .is(Role::kBookkeeping);
  field("training", training, "how long, in which portions").words({"train", "trainer", "fit"});
}

namespace {

// The type of a component, or of each in a list.
std::vector<std::string> types_of(const Node& value) {
  if (value.kind == Node::Kind::kScalar) return {value.scalar};
  std::vector<std::string> out;
  for (const Node& item : value.children) {
    const Node* type = item.is_mapping() ? item.find("type") : &item;
    out.push_back(type ? type->scalar : "");
  }
  return out;
}

}  // namespace

bool may_change(const Key& key, const Node* from, const Node* to) {
  if (key.role == Role::kPlace) return true;  // what lies there decides, which the run compares
  if (key.on_resume == OnResume::kOptions) return from && to && types_of(*from) == types_of(*to);
  return key.on_resume != OnResume::kNever;
}

void check_validation_metric(const std::string& name,
                             const std::map<std::string, MetricInfo>& metrics, Check at,
                             const char* field) {
  std::vector<std::string> names;
  for (const auto& [known, info] : metrics) {
    if (known.starts_with("validation/")) names.push_back(known);
  }
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  at.error({field}, fmt::format("{}: expected one of {}, got {}; training.metrics says what is "
                                "counted",
                                field, fmt::join(names, ", "), escape(name)));
}

void Config::check(Check& check) const {
  if (!is_valid_name(name)) {
    check.error(
        {"name"},
        fmt::format(
            "the name \"{}\" cannot be a folder's: 1 to 128 letters, digits, '.', '_' or '-', "
            "not beginning with '.' or '-'",
            escape(name)));
  }
  Check at = check.at("training");
  if (training.batch_size > kMost / training.accumulate) {
    at.error({"batch_size", "accumulate"},
             fmt::format("a step of {} x {} images: at most {} are allowed", training.batch_size,
                         training.accumulate, kMost));
  }
  if (experiment.valid() && !experiment_options().predicts) {
    const std::string why = "the experiment " + experiment.type() + " predicts no labels";
    // The default may stand there: a resolved config spells everything out.
    if (loss.type() != kDefaultLoss) check.no_effect("loss", why);
    if (!training.metrics.empty()) at.no_effect("metrics", why);
  }
  if (training.checkpoint.every.count <= 0) {
    Check in = at.at("checkpoint");
    in.error({"every"}, "checkpoints cannot be saved every nothing");
  }
}

}  // namespace vitrine
