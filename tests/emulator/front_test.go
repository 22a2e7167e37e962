package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// front stands before the emulator: it answers what that lacks, passes on everything else, and can keep an answer back. It counts
// as TLS, which policies ask for.
type front struct {
	*testing.T
	emulator http.Handler
	lacking  *http.ServeMux

	mu      sync.Mutex
	updates map[string][]update // that UpdateAddon started, by cluster
	held    chan struct{}       // closed when an answer is kept back; nil: none is to be
}

// update is one of the emulator's answers to UpdateAddon, as DescribeUpdate says it (Amazon EKS API reference, "Update").
type update struct {
	ID        string      `json:"id"`
	Status    string      `json:"status"`
	Type      string      `json:"type"`
	CreatedAt json.Number `json:"createdAt"`
	Params    []param     `json:"params"`
	Errors    []struct{}  `json:"errors"`
}

type param struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// pass has everything that the emulator does not lack go there.
func (f *front) pass(to string) {
	target, err := url.Parse(to)
	if err != nil {
		f.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.updates = map[string][]update{}
	f.emulator = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
			r.Out.Header.Set("X-Forwarded-Proto", "https")
		},
	}
	f.lacking = http.NewServeMux()
	for _, l := range lacks() {
		if l.pattern != "" {
			f.lacking.HandleFunc(l.pattern, l.answer(f))
		}
	}
	f.lacking.HandleFunc("POST /clusters/{cluster}/addons/{addon}/update", f.updateAddon)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	emulator, lacking := f.emulator, f.lacking
	f.mu.Unlock()
	// S3's paths can be anything, so only what is signed for EKS is looked at.
	if _, found := lacking.Handler(r); found != "" && strings.Contains(r.Header.Get("Authorization"), "/eks/aws4_request") {
		lacking.ServeHTTP(w, r)
		return
	}
	emulator.ServeHTTP(w, r)
}

// updateAddon has the emulator answer, and notes the update.
func (f *front) updateAddon(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	f.emulator.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		f.note(r.PathValue("cluster"), body, answer.Body.Bytes())
	}
	f.wait(r.Context())
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who went away gets no answer
}

func (f *front) note(cluster string, request, answer []byte) {
	var asked struct {
		AddonVersion string `json:"addonVersion"`
	}
	var said struct {
		Update update `json:"update"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		f.Errorf("read the request for UpdateAddon: %v", err)
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		f.Errorf("read the answer to UpdateAddon: %v", err)
	}
	said.Update.Params = append(said.Update.Params, param{"AddonVersion", asked.AddonVersion})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.updates[cluster] = append(f.updates[cluster], said.Update)
}

// keepBack has the caller of the next UpdateAddon never see its answer. The channel is closed when the emulator has answered.
func (f *front) keepBack() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = make(chan struct{})
	return f.held
}

func (f *front) wait(caller context.Context) {
	f.mu.Lock()
	held := f.held
	f.held = nil
	f.mu.Unlock()
	if held != nil {
		close(held)
		<-caller.Done()
	}
}

// updatesOf are the updates that were started on a cluster.
func (f *front) updatesOf(cluster string) []update {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.updates[cluster])
}
