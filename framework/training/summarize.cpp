#include "framework/model/model.h"
#include "framework/model/recording.h"
#include "framework/training/inspect.h"
#include "framework/training/setup.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

Json summarize(const std::shared_ptr<const ResolvedConfig>& resolved) {
  const Config& config = *resolved->config;
  const DatasetInfo info = info_of(config.dataset);
  const auto model = build_model(config, info);
  Json layers = Json::array();
  int64_t flops = 0, parameters = 0, buffers = 0;
  for (const LayerSummary& layer : layers_of(*model, {info.channels, info.height, info.width})) {
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"shape", layer.shape},
                      {"parameters", layer.parameters},
                      {"buffers", layer.buffers},
                      {"flops", layer.flops}});
    flops += layer.flops;
  }
  for (const auto& parameter : model->parameters()) parameters += parameter.numel();
  for (const auto& buffer : model->buffers()) buffers += buffer.numel();
  return {{"type", config.model.type()},
          {"image", {info.channels, info.height, info.width}},
          {"layers", layers},
          {"parameters", parameters},
          {"buffers", buffers},
          {"flops_per_image", flops}};
}

}  // namespace vitrine
