#pragma once

#include <string>
#include <string_view>

namespace vitrine {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// openat(2), close-on-exec, retried when a signal interrupts it; not open, with errno set, when it
// fails.
Descriptor open_at(int folder, const std::string& name, int flags);

// Writes everything; false, with errno set, when that fails.
bool write_all(int descriptor, std::string_view bytes);

}  // namespace vitrine
