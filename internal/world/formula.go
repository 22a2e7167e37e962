package world

import (
	"strconv"
	"strings"
)

// formula is a metric math expression as far as it is simulated: +, -, *, / and parentheses over metrics and numbers, and
// IF(a > b, c, d), with > >= < <= or == (CloudWatch user guide, "Using math expressions with CloudWatch metrics").
type formula struct {
	op     string // one of the operators, "IF", or one of those below
	parts  []*formula
	metric int     // its index among the alarm's metrics
	number float64 // of the same value at every instant
	series bool    // a metric is in it, so that it has points only where a metric has
}

// The formulas without parts.
const (
	aMetric = "metric"
	aNumber = "number"
)

// longestFormula is the most characters of an expression (API reference, MetricDataQuery). It bounds the depth too.
const longestFormula = 2048

// parseFormula reads an expression over metrics with these ids. Its error is CloudWatch's refusal.
func parseFormula(text string, ids map[string]int) (*formula, error) {
	if text == "" || len(text) > longestFormula {
		return nil, invalid("The expression must have 1 to %d characters.", longestFormula)
	}
	p := &parser{text: text, ids: ids}
	p.next()
	f := p.sum()
	switch {
	case p.err == nil && p.word != "":
		p.fail("%q is not expected there", p.word)
	case p.err == nil && !f.series:
		p.fail("its result must be a time series, and it is a number")
	}
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

// parser reads a formula word by word. After a mistake it only runs to the end.
type parser struct {
	text string // what is left behind word
	word string // the next one; empty: the text is over
	ids  map[string]int
	err  error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = invalid("Error in expression: "+format+".", args...)
	}
	p.text, p.word = "", ""
}

// next steps to the next word: an id or a number, an operator, a parenthesis or a comma.
func (p *parser) next() {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	end := strings.IndexFunc(p.text, func(r rune) bool { return !inWord(r) })
	switch {
	case end < 0:
		end = len(p.text)
	case end == 0 && len(p.text) > 1 && strings.ContainsAny(p.text[:1], "<>=!") && p.text[1] == '=':
		end = 2
	case end == 0:
		end = 1
	}
	p.word, p.text = p.text[:end], p.text[end:]
}

func inWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.'
}

// takes steps over the next word if it is one of those.
func (p *parser) takes(words ...string) (string, bool) {
	for _, w := range words {
		if p.word == w {
			p.next()
			return w, true
		}
	}
	return "", false
}

func (p *parser) want(word string) {
	if _, ok := p.takes(word); !ok {
		p.fail("want %q and not %q", word, p.word)
	}
}

func (p *parser) sum() *formula     { return p.chain(p.product, "+", "-") }
func (p *parser) product() *formula { return p.chain(p.factor, "*", "/") }

// chain reads operands with operators of one rank between them, which bind to the left.
func (p *parser) chain(operand func() *formula, operators ...string) *formula {
	f := operand()
	for {
		op, ok := p.takes(operators...)
		if !ok {
			return f
		}
		f = join(op, f, operand())
	}
}

func join(op string, parts ...*formula) *formula {
	f := &formula{op: op, parts: parts}
	for _, part := range parts {
		f.series = f.series || part.series
	}
	return f
}

func (p *parser) factor() *formula {
	word := p.word
	p.next()
	switch {
	case word == "(":
		f := p.sum()
		p.want(")")
		return f
	case word == "IF":
		return p.choice()
	case word != "" && word[0] >= 'a' && word[0] <= 'z':
		at, known := p.ids[word]
		if !known {
			p.fail("there is no metric %q", word)
		}
		return &formula{op: aMetric, metric: at, series: true}
	case word == "SEARCH":
		p.fail("an alarm cannot be on a SEARCH expression, which may return several time series")
	case word != "" && word[0] >= 'A' && word[0] <= 'Z':
		p.fail("the function %s is not simulated", word)
	}
	number, err := strconv.ParseFloat(word, 64)
	if err != nil || strings.Trim(word, "0123456789.") != "" {
		p.fail("want a metric, a number, IF or a parenthesis and not %q", word)
	}
	return &formula{op: aNumber, number: number}
}

// choice reads what follows on IF.
func (p *parser) choice() *formula {
	p.want("(")
	left := p.sum()
	op, ok := p.takes(">", ">=", "<", "<=", "==")
	if !ok {
		p.fail("want a comparison with >, >=, <, <= or == and not %q", p.word)
	}
	condition := join(op, left, p.sum())
	p.want(",")
	yes := p.sum()
	p.want(",")
	no := p.sum()
	p.want(")")
	return join("IF", condition, yes, no)
}
