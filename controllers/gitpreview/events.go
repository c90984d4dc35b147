package gitpreview

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// Reasons of events, for whoever watches the GitPreview.
const (
	eventCreated = "PreviewCreated"
	eventDeleted = "PreviewDeleted"
)

func (c *Controller) event(o runtime.Object, eventType, reason, message string) {
	if c.opts.Recorder != nil {
		c.opts.Recorder.Event(o, eventType, reason, message)
	}
}
