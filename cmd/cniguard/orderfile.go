package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/strictyaml"
	"github.com/cniguard/cniguard/internal/world"
)

// An orders file holds what people ordered in a world, an order a line, in the form of the world file's orders. It stands for
// the ledger, where orders are items that people write with their own credentials.

// orderFile is an orders file that was read.
type orderFile struct {
	name   string
	orders []world.Order
	lines  []int // of each order
}

func (s *stage) ordersFile() string {
	if s.orders != "" {
		return s.orders
	}
	return strings.TrimSuffix(strings.TrimSuffix(s.world, ".yaml"), ".yml") + ".orders.jsonl"
}

// readOrders reads the orders file. There need not be one where no flag names it, or where it is about to be written.
func (s *stage) readOrders() (orderFile, error) {
	f := orderFile{name: s.ordersFile()}
	if _, err := os.Stat(f.name); errors.Is(err, fs.ErrNotExist) && (s.orders == "" || s.orderly) {
		return f, nil
	}
	data, err := load("--orders", f.name)
	if err != nil {
		return f, err
	}
	var wrong strictyaml.Errors
	for n, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var o world.Order
		_, err := strictyaml.Decode(f.name, line, &o)
		var found strictyaml.Errors
		errors.As(err, &found)
		for _, m := range found {
			m.Line = n + 1
			wrong = append(wrong, m)
		}
		f.orders, f.lines = append(f.orders, o), append(f.lines, n+1)
	}
	if len(wrong) > 0 {
		return f, wrong
	}
	return f, nil
}

// join adds the orders to those of a world file, and checks all. The error has the line of each order of this file that is wrong.
func (f orderFile) join(spec *world.Spec, worldFile string) error {
	own := len(spec.Orders)
	spec.Orders = append(spec.Orders, f.orders...)
	var found world.Mistakes
	if err := spec.Validate(); !errors.As(err, &found) {
		return err
	}
	wrong := make(strictyaml.Errors, len(found))
	for i, m := range found {
		wrong[i] = strictyaml.Mistake{File: worldFile, Field: m.Field, Text: m.Text, Hint: m.Hint}
		var at int
		var field string
		if n, _ := fmt.Sscanf(m.Field, "orders[%d].%s", &at, &field); n == 2 && at >= own {
			wrong[i].File, wrong[i].Line, wrong[i].Field = f.name, f.lines[at-own], field
		}
	}
	slices.SortStableFunc(wrong, func(a, b strictyaml.Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return wrong
}

// written is an order as it stands in the file.
type written struct {
	At      string          `json:"at"`
	Kind    world.OrderKind `json:"kind"`
	Account string          `json:"account,omitempty"`
	Region  string          `json:"region,omitempty"`
	Name    string          `json:"name,omitempty"`
	To      string          `json:"to,omitempty"`
	Finding string          `json:"finding,omitempty"`
	For     string          `json:"for,omitempty"`
	By      string          `json:"by"`
	Because string          `json:"because"`
}

// writeOrder adds an order to the file.
func (s *stage) writeOrder(o world.Order) error {
	w := written{simulate.Span(o.At), o.Kind, o.Account, o.Region, o.Name, o.To, o.Finding, "", o.By, o.Because}
	if o.For > 0 {
		w.For = simulate.Span(o.For)
	}
	line, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if before, err := os.ReadFile(s.ordersFile()); err == nil && len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		line = append([]byte("\n"), line...)
	}
	f, err := os.OpenFile(s.ordersFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write order: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
