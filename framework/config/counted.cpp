#include "framework/config/counted.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

class CountedList : public FieldValue {
 public:
  CountedList(std::unique_ptr<FieldValue> list, int64_t count)
      : list_(std::move(list)), count_(count) {}

  void read(const Node& node, const std::string& path, Problems& problems) override {
    list_->read(node, path, problems);
  }
  Node write() const override { return list_->write(); }
  std::string type() const override { return list_->type(); }
  Json schema() const override {
    const Json both = list_->schema();
    for (Json out : both.at("anyOf")) {
      if (out.value("type", "") != "array") continue;
      out["minItems"] = out["maxItems"] = count_;
      return out;
    }
    return both;
  }

 private:
  std::unique_ptr<FieldValue> list_;
  int64_t count_;
};

}  // namespace

Field& counted(Field& field, int64_t count) {
  field.value = std::make_unique<CountedList>(std::move(field.value), count);
  return field;
}

}  // namespace vitrine
