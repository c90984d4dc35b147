package apply

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/delivery"
)

// refused makes an Error of what the API has answered about an object.
func (it *item) refused(cause error) *delivery.Error {
	e := it.failure(delivery.ReasonUnavailable, "")
	e.Cause, e.Message, e.Transient = cause, cause.Error(), true

	said := e.Message

	var status apierrors.APIStatus
	if errors.As(cause, &status) {
		said = status.Status().Message
		e.Field, e.Message = located(status.Status(), said)
	}

	switch {
	case apierrors.IsForbidden(cause) && quotaText.MatchString(said):
		e.Reason = delivery.ReasonQuotaExceeded
	case apierrors.IsForbidden(cause), apierrors.IsUnauthorized(cause):
		e.Reason = delivery.ReasonForbidden
	case apierrors.IsConflict(cause):
		e.Reason = delivery.ReasonConflict
	case apierrors.IsNotFound(cause), apierrors.IsMethodNotSupported(cause):
		e.Reason = delivery.ReasonInvalid
	case apierrors.IsInvalid(cause), apierrors.IsBadRequest(cause), undeclared.MatchString(said), untyped.MatchString(said), unconverted.MatchString(said),
		apierrors.IsRequestEntityTooLargeError(cause):
		e.Reason, e.Transient = delivery.ReasonInvalid, false
	}

	e.Message = it.redact(e.Message)

	return e
}

// failure is an Error about the object.
func (it *item) failure(reason delivery.Reason, format string, args ...any) *delivery.Error {
	return &delivery.Error{
		File: it.source.File, Line: it.source.Line, Object: it.id.Subject(),
		Reason: reason, Message: fmt.Sprintf(format, args...),
	}
}

// located takes the field out of a refusal that names one.
func located(s metav1.Status, message string) (field, rest string) {
	if m := undeclared.FindStringSubmatch(message); m != nil {
		return strings.TrimPrefix(cmp.Or(m[1], m[2]), "."), "is no field of this kind"
	}

	if m := untyped.FindStringSubmatch(message); m != nil {
		return m[1], goValue.ReplaceAllString(m[2], ", and is something else")
	}

	if m := unconverted.FindStringSubmatch(message); m != nil {
		return "", m[1]
	}

	if s.Details == nil || len(s.Details.Causes) == 0 {
		return "", message
	}

	// One field is named in front, with the first thing that is wrong with it; several name themselves in the message.
	first := s.Details.Causes[0]
	for _, cause := range s.Details.Causes {
		if strings.TrimPrefix(cause.Field, ".") != strings.TrimPrefix(first.Field, ".") {
			return "", message
		}
	}

	if first.Field == "" {
		return "", message
	}

	return strings.TrimPrefix(first.Field, "."), first.Message
}
