#pragma once

#include "framework/engine/engine.h"

// What is asked of models besides training; see Engine for each.
namespace vitrine {

std::shared_ptr<const ResolvedConfig> resolve_tested(const ConfigSource& source,
                                                     const std::optional<WeightsSource>& weights);
nlohmann::ordered_json test(const std::shared_ptr<const ResolvedConfig>& config,
                            const std::optional<WeightsSource>& weights, Observer& observer,
                            const std::filesystem::path& predictions);
nlohmann::ordered_json predict(const PredictRequest& request, Observer& observer);
nlohmann::ordered_json summarize(const std::shared_ptr<const ResolvedConfig>& config);
void export_weights(const WeightsSource& weights, const std::filesystem::path& file,
                    const std::string& layout);
std::string export_onnx(const WeightsSource& weights, const std::filesystem::path& file,
                        const OnnxOptions& options);
Picture plot(const std::string& name, Node options, const std::optional<WeightsSource>& weights,
             Observer& observer);

}  // namespace vitrine
