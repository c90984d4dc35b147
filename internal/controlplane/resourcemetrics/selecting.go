package resourcemetrics

import (
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// selecting is what a request picks, by labels and by those fields that there are.
func selecting(o *metainternalversion.ListOptions, known ...string) (func(set, fieldSet map[string]string) bool, error) {
	byLabel, byField := labels.Everything(), fields.Everything()
	if o != nil && o.LabelSelector != nil {
		byLabel = o.LabelSelector
	}
	if o != nil && o.FieldSelector != nil {
		byField = o.FieldSelector
	}
	for _, r := range byField.Requirements() {
		if !slices.Contains(known, r.Field) {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s; there are %s", r.Field, strings.Join(known, ", ")))
		}
	}

	return func(set, fieldSet map[string]string) bool {
		return byLabel.Matches(labels.Set(set)) && byField.Matches(fields.Set(fieldSet))
	}, nil
}
