package notify_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestWhatStandsCanBeSilenced(t *testing.T) {
	const mute = `cniguard mute 111122223333/eu-central-1/prod-eu --finding capacity-low --for 8h --because "…"`
	const ack = `cniguard ack 111122223333/eu-central-1/prod-eu --finding capacity-low --because "…"`
	for name, c := range map[string]struct {
		change    func(*guard.Message)
		mute, ack bool
	}{
		"a critical finding, whose reminders stop too": {func(*guard.Message) {}, true, true},
		"a warning":                         {func(m *guard.Message) { m.Finding.Severity = guard.Warning }, true, false},
		"a reminder":                        {func(m *guard.Message) { m.News = guard.Reminded }, true, true},
		"a recovery has nothing to silence": {func(m *guard.Message) { m.News = guard.Recovered }, false, false},
		"nor has a cluster that is gone":    {func(m *guard.Message) { m.News = guard.Closed }, false, false},
		"nor has the news of an update":     {func(m *guard.Message) { m.News = guard.NotDone }, false, false},
		"nor has an account and region":     {func(m *guard.Message) { m.Cluster.Name = "" }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := sample(guard.CapacityLow, guard.Critical)
			c.change(&m)
			s, steps := notify.Render(m), strings.Join(shown(t, m).Content.NextSteps, "\n")
			_, section, _ := strings.Cut(s.Text, "\nTo silence it:\n")
			section = strings.ReplaceAll(section, " \\\n     ", "")
			var said struct{ Mute string }
			if err := json.Unmarshal([]byte(s.JSON), &said); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(section, "  "+mute+"\n") != c.mute || strings.Contains(steps, "`"+mute+"`") != c.mute || (said.Mute == mute) != c.mute || !c.mute && said.Mute != "" {
				t.Errorf("how to mute: want %v; JSON %q, chat\n%s\ntext\n%s", c.mute, said.Mute, steps, section)
			}
			if strings.Contains(section, "  "+ack+"\n") != c.ack || strings.Contains(steps, "`"+ack+"`") != c.ack {
				t.Errorf("how to acknowledge: want %v; chat\n%s\ntext\n%s", c.ack, steps, section)
			}
		})
	}
}

func TestTheCommandsThatSilencePasteSafely(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh; TestCommandsPasteSafely sees that there is one where it matters")
	}
	for _, name := range hardNames {
		m := sample(guard.CapacityLow, guard.Critical)
		m.Cluster.Name, m.Finding.Code = name, guard.Code("x"+name)
		_, section, _ := strings.Cut(notify.Render(m).Text, "\nTo silence it:\n")
		var commands []string
		for _, line := range strings.SplitAfter(section, "\n") {
			if strings.HasPrefix(line, "  cniguard ") || strings.HasPrefix(line, "      ") {
				commands = append(commands, line)
			}
		}
		out, err := exec.Command(sh, "-c", "cniguard() { printf '<%s>\n' \"$@\"; }\n"+strings.Join(commands, "")).CombinedOutput()
		id, finding := "<111122223333/eu-central-1/"+name+">\n", "<--finding>\n<x"+name+">\n<--"
		if err != nil || strings.Count(string(out), id+finding) != 2 || strings.Count(string(out), "<--because>\n<…>\n") != 2 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
