#include "framework/data/shared_images.h"

#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "framework/files/sha256.h"

namespace vitrine {
namespace {

using Progress = std::function<void(int64_t images, int64_t all)>;

// Images of a split, by their numbers in it.
class Contents {
 public:
  explicit Contents(const Split& split) : split_(split) {
    if (split_.images.defined()) split_.images = split_.images.cpu().contiguous();
    if (split_.rows.defined()) split_.rows = split_.rows.cpu().contiguous();
  }

  bool is_held() const { return split_.images.defined(); }
  int64_t size() const { return split_.size(); }
  // Images of other lengths are others; 0 where that is not known.
  uint64_t length(int64_t number) const {
    return is_held() ? static_cast<uint64_t>(split_.images.stride(0))
                     : split_.source->stored_bytes(row(number));
  }
  // What reading the image takes.
  uint64_t cost(int64_t number) const {
    constexpr uint64_t kUsual = 100'000;
    const uint64_t length = this->length(number);
    return is_held() ? 0 : length > 0 ? length : kUsual;
  }
  std::string digest(int64_t number) const {
    if (!is_held()) return sha256_hex(split_.source->contents(row(number)));
    const Tensor image = split_.images[row(number)];
    return sha256_hex({static_cast<const char*>(image.const_data_ptr()), image.nbytes()});
  }
  std::string name(int64_t number) const { return split_.path_of(number); }

 private:
  int64_t row(int64_t number) const {
    return split_.rows.defined() ? split_.rows.const_data_ptr<int64_t>()[number] : number;
  }

  Split split_;
};

struct Spot {
  size_t split = 0;
  int64_t number = 0;
};

// By their length, images that may be the same: of lengths that two splits have.
std::map<uint64_t, std::vector<Spot>> candidates_in(const std::vector<Contents>& splits,
                                                    const std::function<bool()>& cancelled) {
  std::map<uint64_t, std::vector<Spot>> out;
  for (size_t i = 0; i < splits.size(); ++i) {
    for (int64_t number = 0; number < splits[i].size(); ++number) {
      if (number % 1024 == 0 && cancelled()) return {};
      out[splits[i].length(number)].push_back({i, number});
    }
  }
  std::erase_if(
      out, [](const auto& item) { return item.second.front().split == item.second.back().split; });
  return out;
}

class Search {
 public:
  Search(const std::vector<NamedSplit>& splits, size_t most_pairs)
      : splits_(splits), most_pairs_(most_pairs) {
    for (const NamedSplit& each : splits) contents_.emplace_back(each.split);
  }

  SharedSearch run(uint64_t most_read, const std::function<bool()>& cancelled,
                   const Progress& progress) {
    const auto candidates = candidates_in(contents_, cancelled);
    std::vector<const std::vector<Spot>*> compared;
    int64_t all = 0, done = 0;
    for (const auto& [length, places] : candidates) {
      if (!is_within(places, most_read)) {
        unread_ += std::ssize(places);
        continue;
      }
      compared.push_back(&places);
      all += std::ssize(places);
    }
    const auto goes_on = [&](int64_t images) {
      progress(done + images, all);
      return !cancelled();
    };
    for (const std::vector<Spot>* places : compared) {
      if (!compare(*places, goes_on)) return {};
      done += std::ssize(*places);
    }
    progress(all, all);
    SharedSearch out;
    out.unread = unread_;
    for (auto& [key, shared] : shared_) out.shared.push_back(std::move(shared));
    return out;
  }

 private:
  // Whether what is read so far, with these images, is no more than may be.
  bool is_within(const std::vector<Spot>& places, uint64_t most_read) {
    uint64_t cost = 0;
    int64_t read = 0;
    for (const Spot& place : places) {
      cost += contents_[place.split].cost(place.number);
      read += contents_[place.split].is_held() ? 0 : 1;
    }
    if (bytes_ + cost > most_read || images_ + read > kMostRead) return false;
    bytes_ += cost;
    images_ += read;
    return true;
  }

  // False where it was cancelled.
  bool compare(const std::vector<Spot>& places, const std::function<bool(int64_t)>& goes_on) {
    std::unordered_map<std::string, std::vector<Spot>> seen;  // the first of each split
    int64_t count = 0;
    for (const Spot& place : places) {
      if (count % 64 == 0 && !goes_on(count)) return false;
      ++count;
      std::vector<Spot>& same = seen[contents_[place.split].digest(place.number)];
      for (const Spot& other : same) {
        if (other.split != place.split) note(place, other);
      }
      if (same.empty() || same.back().split != place.split) same.push_back(place);
    }
    return true;
  }

  void note(const Spot& place, const Spot& other) {
    SharedImages& shared = shared_[{other.split, place.split}];
    shared.split = splits_[place.split].name;
    shared.other = splits_[other.split].name;
    ++shared.images;
    if (shared.first.size() == most_pairs_) return;
    const auto name = [&](const Spot& one) {
      const std::string path = contents_[one.split].name(one.number);
      return path.empty() ? fmt::format("{} image {}", splits_[one.split].name, one.number) : path;
    };
    shared.first.push_back({place.number, other.number, name(place), name(other)});
  }

  const std::vector<NamedSplit>& splits_;
  size_t most_pairs_;
  std::vector<Contents> contents_;
  std::map<std::pair<size_t, size_t>, SharedImages> shared_;
  int64_t unread_ = 0;
  uint64_t bytes_ = 0;  // that are read, and of how many images
  int64_t images_ = 0;
};

}  // namespace

SharedSearch find_shared(const std::vector<NamedSplit>& splits, size_t most_pairs,
                         uint64_t most_read, const std::function<bool()>& cancelled,
                         const Progress& progress) {
  return Search(splits, most_pairs).run(most_read, cancelled, progress);
}

}  // namespace vitrine
