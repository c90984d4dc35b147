package notice

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dogker/dogker/reconciler/alert"
)

// Words is a notice as people read it. All of it is text: nothing is escaped for where it is put.
type Words struct {
	// Subject is a line.
	Subject string
	// Items are what it is about, in the order of the notice.
	Items []Item
	// Omitted says how many more there are; empty for none.
	Omitted string
}

// Item is one incident.
type Item struct {
	// Status of it in a word, and Text in a sentence or two.
	Status, Text string
	// Summary and Description are what a tenant has written about it; Description may have several lines.
	Summary     string
	Description []string
	// Since when, and until when, if it is over.
	Since, Until string
}

// Text is all of it in one paragraph.
func (w Words) Text() string {
	texts := make([]string, 0, len(w.Items)+1)
	for _, i := range w.Items {
		texts = append(texts, i.Text)
	}
	if w.Omitted != "" {
		texts = append(texts, w.Omitted)
	}

	return strings.Join(texts, " ")
}

// maxLines is how many lines of a description are shown.
const maxLines = 20

// Say puts a notice into words of a language.
func Say(n alert.Notification, l Language) Words {
	d := l.dictionary()
	w := Words{Subject: l.subject(n)}
	if n.Repeat {
		w.Subject = d.repeat + w.Subject
	}
	for _, i := range n.Incidents {
		item := Item{Status: l.word(string(i.Status)), Text: l.text(n, i), Summary: clean(i.Annotations["summary"])}
		for line := range strings.Lines(i.Annotations["description"]) {
			if line = clean(line); line != "" && len(item.Description) < maxLines {
				item.Description = append(item.Description, line)
			}
		}
		if !i.StartsAt.IsZero() && i.Status != alert.StatusInformed {
			item.Since = l.Time(i.StartsAt)
		}
		if !i.EndsAt.IsZero() {
			item.Until = l.Time(i.EndsAt)
		}
		w.Items = append(w.Items, item)
	}
	if n.Omitted > 0 {
		w.Omitted = strings.ReplaceAll(d.frame.More, "{n}", strconv.Itoa(n.Omitted))
	}

	return w
}

// subject of a notice: that of its incident, or how many there are.
func (l Language) subject(n alert.Notification) string {
	if len(n.Incidents) == 1 && n.Omitted == 0 {
		i := n.Incidents[0]
		return fill(l.phrase(i).subject, l.values(n, i))
	}
	firing := 0
	for _, i := range n.Incidents {
		if i.Status == alert.StatusFiring {
			firing++
		}
	}
	return fill(l.dictionary().several, func(key string) string {
		switch key {
		case "firing":
			return strconv.Itoa(firing)
		case "others":
			return strconv.Itoa(len(n.Incidents) - firing + n.Omitted)
		case "title":
			return clean(n.Title)
		default:
			return clean(n.Tenant)
		}
	})
}

// text of an incident. One of a reason that this version does not know lists what comes with it.
func (l Language) text(n alert.Notification, i alert.Incident) string {
	p := l.phrase(i)
	if p.text == "" {
		return listed(i)
	}

	return fill(p.text, l.values(n, i))
}

// phrase is the one that says most about an incident.
func (l Language) phrase(i alert.Incident) phrase {
	d, over := l.dictionary(), ""
	if i.Status == alert.StatusResolved {
		over = "/resolved"
	}
	for _, key := range []string{
		i.Reason + over + "." + i.Facts[alert.FactEnding],
		i.Reason + over + "." + i.Subject.Kind + "." + i.Facts[alert.FactCondition] + "." + i.Facts[alert.FactConditionStatus],
		i.Reason + over + "." + i.Facts[alert.FactOf],
		i.Reason + over,
	} {
		if p, known := d.phrases[key]; known {
			return p
		}
	}

	return phrase{subject: d.phrases["?"+over].subject}
}

// values are what is known of an incident, by the keys of phrases: its facts, and tenant, title, reason, kind and subject.
func (l Language) values(n alert.Notification, i alert.Incident) func(string) string {
	return func(key string) string {
		switch key {
		case "tenant":
			return clean(n.Tenant)
		case "title":
			return clean(n.Title)
		case "why":
			return clean(i.Reason)
		case "summary":
			return clean(i.Annotations["summary"])
		case "kind":
			return clean(i.Subject.Kind)
		case "subject":
			if i.Subject.Name != "" {
				return clean(i.Subject.Name)
			}
			return clean(labels(i))
		default:
			return l.fact(key, i.Facts[key])
		}
	}
}

// labels names what an incident is about when that is no object.
func labels(i alert.Incident) string {
	pairs := make([]string, 0, len(i.Labels))
	for _, key := range slices.Sorted(maps.Keys(i.Labels)) {
		if key == alert.LabelAlert || key == alert.LabelNamespace || key == alert.LabelSeverity {
			continue // All of the notice have them.
		}
		pairs = append(pairs, key+"="+i.Labels[key])
	}

	return strings.Join(pairs, ", ")
}

func listed(i alert.Incident) string {
	pairs := make([]string, 0, len(i.Facts))
	for _, key := range slices.Sorted(maps.Keys(i.Facts)) {
		pairs = append(pairs, fmt.Sprintf("%s %s", clean(key), clean(i.Facts[key])))
	}

	return clean(i.Reason) + ": " + strings.Join(pairs, ", ")
}
