#include "sim/cli/kernel_words.hpp"

#include "sim/core/error.hpp"

namespace switchyard {

kernels::SecondChoice second_choice_of(SecondChoice choice) {
  switch (choice) {
    case SecondChoice::kAlways:
      return kernels::SecondChoice::kAlways;
    case SecondChoice::kThreshold:
      return kernels::SecondChoice::kThreshold;
    case SecondChoice::kRandom:
      return kernels::SecondChoice::kRandom;
    case SecondChoice::kNever:
      return kernels::SecondChoice::kNever;
  }
  return kernels::SecondChoice::kAlways;
}

SecondChoice second_choice_of(kernels::SecondChoice choice) {
  switch (choice) {
    case kernels::SecondChoice::kAlways:
      return SecondChoice::kAlways;
    case kernels::SecondChoice::kThreshold:
      return SecondChoice::kThreshold;
    case kernels::SecondChoice::kRandom:
      return SecondChoice::kRandom;
    case kernels::SecondChoice::kNever:
      return SecondChoice::kNever;
  }
  return SecondChoice::kAlways;
}

kernels::CapacityRounding rounding_of(CapacityRounding rounding) {
  switch (rounding) {
    case CapacityRounding::kDown:
      return kernels::CapacityRounding::kDown;
    case CapacityRounding::kNearest:
      return kernels::CapacityRounding::kNearest;
    case CapacityRounding::kUp:
      return kernels::CapacityRounding::kUp;
  }
  return kernels::CapacityRounding::kDown;
}

CapacityRounding rounding_of(kernels::CapacityRounding rounding) {
  switch (rounding) {
    case kernels::CapacityRounding::kDown:
      return CapacityRounding::kDown;
    case kernels::CapacityRounding::kNearest:
      return CapacityRounding::kNearest;
    case kernels::CapacityRounding::kUp:
      return CapacityRounding::kUp;
  }
  return CapacityRounding::kDown;
}

kernels::SlotPriority priority_of(SlotPriority priority) {
  SWITCHYARD_CHECK(priority != SlotPriority::kGate, "the kernels have no slots by gate");
  return priority == SlotPriority::kTokenMajor ? kernels::SlotPriority::kTokenMajor
                                               : kernels::SlotPriority::kChoiceMajor;
}

SlotPriority priority_of(kernels::SlotPriority priority) {
  return priority == kernels::SlotPriority::kTokenMajor ? SlotPriority::kTokenMajor
                                                        : SlotPriority::kChoiceMajor;
}

}  // namespace switchyard
