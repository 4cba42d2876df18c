#pragma once

#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"
#include "cost_models/calibration/least_squares.hpp"

namespace switchyard {

using Points = std::vector<const KernelPoint*>;

/// A kind's form on its points: counts of work once, times many times.
class KernelForm {
 public:
  /// @param points   of one kind and variant; must outlive the form
  /// @param near  ranges of constants that are known elsewhere: the form's own start there, and
  /// stay
  ///              near; the others start where the points would have them
  KernelForm(const Points& points, const ProductTiles& tiles,
             const std::vector<ConstantRange>& near = {});

  /// The constants that the points can tell, or are near to, with starts that would explain the
  /// fastest points by each alone, or a good part of them.
  [[nodiscard]] const std::vector<ConstantRange>& ranges() const { return ranges_; }

  /// All constants; `values` are those of ranges().
  [[nodiscard]] KernelConstants constants(const std::vector<double>& values) const;

  /// log(predicted / measured) of the points at `places`.
  [[nodiscard]] Eigen::VectorXd errors(const KernelConstants& c,
                                       const std::vector<std::size_t>& places) const;

  [[nodiscard]] LeastSquaresResult fit(const std::vector<FitRange>& starts,
                                       const std::vector<std::size_t>& places) const;

  /// The best of fits from several starts.
  [[nodiscard]] std::vector<double> best_fit(const std::vector<std::size_t>& places) const;

  /// Starts at values of ranges().
  [[nodiscard]] std::vector<FitRange> starts_at(const std::vector<double>& values) const;

 private:
  [[nodiscard]] bool can_tell(KernelConstant constant) const;
  [[nodiscard]] ConstantRange data_start(ConstantRange range) const;
  [[nodiscard]] const ConstantRange* near(KernelConstant constant) const;
  [[nodiscard]] std::vector<FitRange> starts_of(double times, double rates,
                                                double combination) const;

  Points points_;
  std::vector<ConstantRange> near_;
  std::vector<KernelWork> work_;
  std::vector<ConstantRange> ranges_;
};

}  // namespace switchyard
