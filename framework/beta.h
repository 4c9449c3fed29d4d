#pragma once

namespace vitrine {

// Below which Beta(alpha, alpha) has the share `p`, 0 to 1, of its mass.
double beta_quantile(double alpha, double p);

}  // namespace vitrine
