#pragma once

// Catch2 v3 where it is installed, else v2.13: the tests use what both offer.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using namespace Catch::Matchers;
namespace vitrine {
// v3's own is about ranges.
inline auto Contains(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
}  // namespace vitrine
#else
#include <catch2/catch.hpp>
using namespace Catch::Matchers;
#endif
