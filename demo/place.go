package demo

import "strings"

// place is a country people live in, with the names they have there.
type place struct {
	country  string // ISO 3166-1 alpha-2
	weight   int    // share of the people, of all weights
	language string // ISO 639-1
	offset   int64  // of the local time to UTC, in minutes, the whole year
	currency string // ISO 4217
	names    *names
}

// names are the first and last names of a language.
type names struct{ first, last []string }

var places = []place{
	{"US", 30, "en", -6 * 60, "USD", &english},
	{"FR", 14, "fr", 60, "EUR", &french},
	{"DE", 12, "de", 60, "EUR", &german},
	{"GB", 10, "en", 0, "GBP", &english},
	{"IN", 8, "en", 330, "USD", &indian},
	{"ES", 6, "es", 60, "EUR", &spanish},
	{"BR", 6, "pt", -180, "BRL", &portuguese},
	{"CA", 5, "en", -300, "CAD", &english},
	{"NL", 4, "nl", 60, "EUR", &dutch},
	{"JP", 3, "ja", 540, "JPY", &japanese},
	{"AU", 2, "en", 600, "AUD", &english},
}

var (
	english = names{
		first: strings.Fields("Olivia James Emma Noah Ava Liam Sophia Mason Grace Ethan Chloe Lucas Ruby Owen Zoe Henry Alice Jack"),
		last:  strings.Fields("Smith Johnson Brown Taylor Wilson Davies Walker Thompson White Harris Clarke Wright Hall Green Baker O'Brien"),
	}
	french = names{
		first: strings.Fields("Camille Hugo Léa Louis Manon Jules Chloé Arthur Inès Théo Sarah Antoine Zoé Gabriel Élise Maxime"),
		last:  strings.Fields("Martin Bernard Dubois Petit Durand Leroy Moreau Simon Lefèvre Roux Fournier Girard Bonnet Mercier Lambert"),
	}
	german = names{
		first: strings.Fields("Lena Jonas Mia Felix Anna Paul Hannah Max Lea Lukas Jürgen Sophie Björn Marie Tim Käthe"),
		last:  strings.Fields("Müller Schmidt Schneider Fischer Weber Wagner Becker Schulz Hoffmann Koch Richter Klein Wolf Schröder Neumann"),
	}
	spanish = names{
		first: strings.Fields("Lucía Hugo María Pablo Paula Daniel Sofía Alejandro Carmen Álvaro Elena Javier Marta Diego"),
		last:  strings.Fields("García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Ruiz Moreno Jiménez Torres"),
	}
	portuguese = names{
		first: strings.Fields("Ana João Maria Pedro Beatriz Lucas Júlia Gabriel Larissa Rafael Camila Thiago Fernanda Bruno"),
		last:  strings.Fields("Silva Santos Oliveira Souza Lima Pereira Ferreira Costa Ribeiro Almeida Carvalho Araújo Rocha"),
	}
	dutch = names{
		first: strings.Fields("Emma Daan Sophie Sem Julia Lucas Anna Bram Eva Thijs Lotte Jeroen"),
		last:  strings.Fields("Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker"),
	}
	indian = names{
		first: strings.Fields("Aarav Priya Vivaan Ananya Arjun Diya Rohan Isha Kabir Meera Aditya Kavya Nikhil Sneha"),
		last:  strings.Fields("Sharma Patel Singh Gupta Reddy Iyer Mehta Nair Rao Joshi Kapoor Das Verma"),
	}
	japanese = names{
		first: strings.Fields("Haruto Yui Sota Hina Ren Sakura Yuto Aoi Riku Mei Kaito Rin"),
		last:  strings.Fields("Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato"),
	}
)

// plain writes the letters of names without their marks, for addresses.
var plain = strings.NewReplacer("é", "e", "è", "e", "É", "e", "ü", "ue", "ö", "oe", "ä", "ae", "í", "i", "á", "a", "Á", "a",
	"ó", "o", "ú", "u", "ã", "a", "'", "")

func somewhere(d *dice) *place {
	weights := make([]int, len(places))
	for i := range places {
		weights[i] = places[i].weight
	}
	return &places[d.weighted(weights...)]
}
