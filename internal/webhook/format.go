package webhook

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/reconciler/alert"
)

// Message is the body in our own format.
type Message struct {
	// ID is the same however often the notice is sent.
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	// Kind of what happened, such as LowBalance or ContainerDown: that of the first incident.
	Kind string `json:"kind"`
	// Time it was decided, and with notices about money the last entry of the tenant's ledger then.
	Time time.Time `json:"time"`
	Seq  int64     `json:"seq,omitempty"`
	// Subject is a line for people, and Text a few sentences.
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// Data is what is known of the first incident.
	Data map[string]string `json:"data,omitempty"`
	// Contacts are whom the tenant wants to have written to about money, now. Only the endpoint of the platform gets them.
	Contacts []Contact `json:"contacts,omitempty"`

	Topic    alert.Topic     `json:"topic"`
	Status   alert.Status    `json:"status"`
	Severity alert.Severity  `json:"severity"`
	Title    string          `json:"title,omitempty"`
	Source   alert.ObjectRef `json:"source,omitzero"`
	// GroupKey is the same for all notices about the same things over time.
	GroupKey string `json:"groupKey"`
	Repeat   bool   `json:"repeat,omitempty"`
	// Incidents that it is about, and how many there was no room for.
	Incidents []alert.Incident `json:"incidents"`
	Omitted   int              `json:"omitted,omitempty"`
}

// Contact is somebody to write to.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

func messageOf(n alert.Notification) Message {
	words, first := notice.Say(n, notice.English), n.Incidents[0]
	m := Message{
		ID: n.ID, Tenant: n.Tenant, Kind: first.Reason, Time: n.At.UTC(), Subject: words.Subject, Text: words.Text(), Data: first.Facts,
		Topic: n.Topic, Status: n.Status, Severity: n.Severity, Title: n.Title, Source: n.Source, GroupKey: n.GroupKey,
		Repeat: n.Repeat, Incidents: n.Incidents, Omitted: n.Omitted,
	}
	if n.Topic == alert.TopicBilling {
		m.Seq, _ = strconv.ParseInt(first.Labels[notice.LabelEntry], 10, 64)
	}

	return m
}

// format makes the body of a notice for a Receiver.
func format(n alert.Notification, f monitoringv1.WebhookFormat) ([]byte, error) {
	switch f {
	case monitoringv1.FormatSlack:
		return json.Marshal(slackOf(n))
	case monitoringv1.FormatAlertmanager:
		return json.Marshal(alertmanagerOf(n))
	default:
		return json.Marshal(messageOf(n))
	}
}

// slack is a message that Slack, Mattermost and Rocket.Chat show.
type slack struct {
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Fallback string `json:"fallback"`
	Color    string `json:"color"`
	Title    string `json:"title"`
	Text     string `json:"text"`
}

func slackOf(n alert.Notification) slack {
	words := notice.Say(n, notice.English)
	var text []string
	for _, i := range words.Items {
		text = append(text, i.Text)
		if i.Summary != "" {
			text = append(text, i.Summary)
		}
		text = append(text, i.Description...)
	}
	if words.Omitted != "" {
		text = append(text, words.Omitted)
	}

	return slack{[]slackAttachment{{
		Fallback: plain(words.Subject), Color: colorOf(n), Title: plain(words.Subject), Text: plain(strings.Join(text, "\n")),
	}}}
}

func colorOf(n alert.Notification) string {
	switch {
	case n.Status == alert.StatusResolved:
		return "good"
	case n.Severity == alert.SeverityCritical:
		return "danger"
	case n.Severity == alert.SeverityWarning:
		return "warning"
	default:
		return "#439fe0"
	}
}

// plain takes from a text what would be a link, a mention or a sign of a chat: tenants' words call nobody.
func plain(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b").Replace(text)
}

// alertmanager is the body of Alertmanager's webhooks, version 4.
type alertmanager struct {
	Version           string              `json:"version"`
	GroupKey          string              `json:"groupKey"`
	TruncatedAlerts   int                 `json:"truncatedAlerts"`
	Status            string              `json:"status"`
	Receiver          string              `json:"receiver"`
	GroupLabels       map[string]string   `json:"groupLabels"`
	CommonLabels      map[string]string   `json:"commonLabels"`
	CommonAnnotations map[string]string   `json:"commonAnnotations"`
	ExternalURL       string              `json:"externalURL"`
	Alerts            []alertmanagerAlert `json:"alerts"`
}

type alertmanagerAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

func alertmanagerOf(n alert.Notification) alertmanager {
	words := notice.Say(n, notice.English)
	a := alertmanager{
		Version: "4", GroupKey: n.GroupKey, TruncatedAlerts: n.Omitted, Status: statusOf(n.Status),
		Receiver: n.Receiver.Namespace + "/" + n.Receiver.Name, GroupLabels: n.GroupLabels,
	}
	for k, i := range n.Incidents {
		// What everybody routes by is always there; what the incident has itself wins.
		labels := map[string]string{"alertname": i.Reason, "namespace": n.Tenant, "severity": string(i.Severity)}
		if n.Topic == alert.TopicAlerts && n.Title != "" {
			labels["alertname"] = n.Title
		}
		maps.Copy(labels, i.Labels)
		annotations := map[string]string{"summary": words.Items[k].Text}
		maps.Copy(annotations, i.Annotations)
		a.Alerts = append(a.Alerts, alertmanagerAlert{
			Status: statusOf(i.Status), Labels: labels, Annotations: annotations,
			StartsAt: i.StartsAt, EndsAt: i.EndsAt, Fingerprint: i.Fingerprint,
		})
	}
	if a.GroupLabels == nil {
		a.GroupLabels = map[string]string{}
	}
	a.CommonLabels, a.CommonAnnotations = map[string]string{}, map[string]string{}
	if len(a.Alerts) > 0 {
		a.CommonLabels, a.CommonAnnotations = maps.Clone(a.Alerts[0].Labels), maps.Clone(a.Alerts[0].Annotations)
	}
	for _, other := range a.Alerts {
		maps.DeleteFunc(a.CommonLabels, func(k, v string) bool { return other.Labels[k] != v })
		maps.DeleteFunc(a.CommonAnnotations, func(k, v string) bool { return other.Annotations[k] != v })
	}

	return a
}

// statusOf is a status as Alertmanager knows it: what only informs has no end there either.
func statusOf(s alert.Status) string {
	if s == alert.StatusResolved {
		return "resolved"
	}

	return "firing"
}
