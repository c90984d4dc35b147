package logship

import (
	"encoding/json"
	"path"
	"strconv"
	"time"
)

// loki is Grafana Loki, and what takes the same requests.
type loki struct{}

var _ dialect = loki{}

// lokiStream are lines that share labels, each with its time in nanoseconds.
type lokiStream struct {
	Stream lokiLabels  `json:"stream"`
	Values [][2]string `json:"values"`
}

// lokiLabels are few: each combination is a stream that Loki keeps open. Pods come and go and stand in the line.
type lokiLabels struct {
	Namespace string `json:"namespace"`
	Container string `json:"container"`
	Node      string `json:"node"`
	Stream    string `json:"stream"`
}

// lokiLine is what is stored for a line.
type lokiLine struct {
	Tenant    string    `json:"tenant"`
	Container string    `json:"container"`
	Pod       string    `json:"pod"`
	Node      string    `json:"node"`
	Stream    string    `json:"stream"`
	Time      time.Time `json:"time"`
	Line      string    `json:"line"`
}

func (loki) path(given string) (string, error) { return path.Join(given, "loki/api/v1/push"), nil }

func (loki) contentType() string { return "application/json" }

func (loki) body(lines []*entry) ([]byte, error) {
	var out struct {
		Streams []*lokiStream `json:"streams"`
	}
	known := map[lokiLabels]*lokiStream{}
	for _, e := range lines {
		labels := lokiLabels{Namespace: e.source.tenant, Container: e.source.container, Node: e.source.node, Stream: e.stream.String()}
		s := known[labels]
		if s == nil {
			s = &lokiStream{Stream: labels}
			known[labels] = s
			out.Streams = append(out.Streams, s)
		}
		line, err := json.Marshal(lokiLine{
			Tenant: e.source.tenant, Container: e.source.container, Pod: e.source.pod, Node: e.source.node,
			Stream: e.stream.String(), Time: e.time, Line: e.text,
		})
		if err != nil {
			return nil, err
		}
		s.Values = append(s.Values, [2]string{strconv.FormatInt(e.time.UnixNano(), 10), string(line)})
	}

	return json.Marshal(out)
}

// verdicts: Loki takes a batch or says what it did not take with a status of failure.
func (loki) verdicts([]byte, int) ([]verdict, error) { return nil, nil }
