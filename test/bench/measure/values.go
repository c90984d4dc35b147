package measure

import (
	"math"
	"slices"
)

// Values are readings of one figure.
type Values []float64

// Median is the value in the middle, or the mean of the two in the middle. It is NaN when there are no values.
func (v Values) Median() float64 {
	if len(v) == 0 {
		return math.NaN()
	}

	sorted := slices.Sorted(slices.Values(v))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}

	return (sorted[half-1] + sorted[half]) / 2
}

// Percentile is the smallest value that at least p percent of the values do not exceed. Nothing is interpolated: with few
// values a high percentile is the largest of them, not something that was never measured.
func (v Values) Percentile(p float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}

	sorted := slices.Sorted(slices.Values(v))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))

	return sorted[max(rank, 1)-1]
}

// Over divides each value by the one of the same round in w. It is nil when the two were not measured in pairs, and when
// there is nothing to divide by.
func (v Values) Over(w Values) Values {
	if len(v) != len(w) || slices.Contains(w, 0) {
		return nil
	}

	out := make(Values, len(v))
	for i := range v {
		out[i] = v[i] / w[i]
	}

	return out
}
