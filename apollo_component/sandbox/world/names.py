"""Words the made-up world is put together from."""

from typing import NamedTuple

from ..word_list import words


class City(NamedTuple):
    """A place with the words a location filter may use for it."""

    name: str
    state: str
    country: str
    time_zone: str
    words: frozenset[str]


def _city(name: str, state: str, country: str, time_zone: str, *more: str) -> City:
    return City(name, state, country, time_zone, frozenset(w.lower() for w in (name, state, country, *more)))


US = ("us", "usa", "united states of america")
UK = ("uk", "great britain")

CITIES = (
    _city("San Francisco", "California", "United States", "America/Los_Angeles", "ca", *US),
    _city("London", "England", "United Kingdom", "Europe/London", *UK),
    _city("New York", "New York", "United States", "America/New_York", "ny", "new york city", *US),
    _city("Berlin", "Berlin", "Germany", "Europe/Berlin"),
    _city("Austin", "Texas", "United States", "America/Chicago", "tx", *US),
    _city("Paris", "Ile-de-France", "France", "Europe/Paris"),
    _city("Chicago", "Illinois", "United States", "America/Chicago", "il", *US),
    _city("Amsterdam", "North Holland", "Netherlands", "Europe/Amsterdam"),
    _city("Boston", "Massachusetts", "United States", "America/New_York", "ma", *US),
    _city("Toronto", "Ontario", "Canada", "America/Toronto"),
    _city("Seattle", "Washington", "United States", "America/Los_Angeles", "wa", *US),
    _city("Munich", "Bavaria", "Germany", "Europe/Berlin"),
    _city("Denver", "Colorado", "United States", "America/Denver", "co", *US),
    _city("Sydney", "New South Wales", "Australia", "Australia/Sydney"),
    _city("Los Angeles", "California", "United States", "America/Los_Angeles", "ca", *US),
    _city("Manchester", "England", "United Kingdom", "Europe/London", *UK),
    _city("Stockholm", "Stockholm County", "Sweden", "Europe/Stockholm"),
    _city("Bengaluru", "Karnataka", "India", "Asia/Kolkata", "bangalore"),
    _city("Madrid", "Community of Madrid", "Spain", "Europe/Madrid"),
    _city("Singapore", "Singapore", "Singapore", "Asia/Singapore"),
)

FIRST_NAMES = words(
    """Ada Adrian Aisha Alba Alma Amir Amelia Anders Anika Anton Ariel Asha Astrid August Aya Basil Beatriz Bela
    Bianca Bram Bruno Camila Carla Caspar Cecile Chen Clara Dalia Damian Dana Darius Delia Diego Dora Edgar Eila
    Elena Elias Elif Emil Enzo Esme Eva Fabian Farah Felix Fiona Flora Frida Gabriel Gemma Gideon Greta Hana
    Hannes Hazel Helena Hugo Ida Ilse Imran Ines Ingrid Iris Isaac Ivan Jade Jakob Jana Jasper Joana Jonas Judith
    Kai Karim Keiko Kira Klara Lara Lars Leila Leon Lena Liam Lina Lotte Lucas Luna Magnus Maia Malik Mara Marco
    Marta Mateo Maya Mila Milan Mina Mira Nadia Naomi Nico Nils Nina Noah Nora Olga Olivia Omar Oscar Otto Paula
    Pedro Petra Priya Quinn Rafael Ravi Rena Rhea Rita Robin Rosa Ruben Sami Sana Sara Selma Simon Sofia Soren
    Stella Tara Tessa Theo Tilda Tomas Uma Vera Viktor Viola Wanda Willem Yara Yuki Yusuf Zara Zoe"""
)

LAST_NAMES = words(
    """Abbott Acosta Adler Ahmed Albrecht Alvarez Andersen Arnold Bakker Barnes Bauer Becker Bell Bennett Berg
    Bianchi Blake Boone Bose Brandt Brooks Calder Campos Carver Castro Chan Chase Clarke Cohen Cole Conti Cruz
    Dahl Dalton Das Delgado Dias Doyle Drake Duarte Eklund Ellis Engel Espinoza Falk Farrell Fischer Fleming
    Fontaine Foster Fuchs Garner Garrett Gill Grant Greene Haas Hale Hansen Hardy Hart Hayes Heller Hoffman Holm
    Huang Hunter Ibarra Ito Jansen Jensen Joshi Kaplan Kaur Keller Khan Kim Klein Koch Kovac Kruger Kumar Lane
    Larsen Laurent Leclerc Lindgren Lopez Lund Maier Malone Marin Marsh Mehta Meyer Moreau Moretti Nair Navarro
    Nguyen Nilsen Novak Nunes Okafor Olsen Ortega Osei Palmer Park Patel Pereira Pham Pratt Quintana Ramos Reyes
    Ricci Rivera Romero Rossi Roth Ruiz Saito Santos Sato Schmidt Serrano Shah Silva Singh Sloan Sorensen Stone
    Suzuki Tanaka Torres Vance Vargas Vega Vogel Wagner Walsh Weber Winter Wolf Wong Yamada Young Ziegler"""
)

COMPANY_FIRST = words(
    """Amber Anchor Arbor Atlas Aurora Beacon Birch Bright Cedar Cinder Clear Cobalt Copper Coral Crest Delta Ember
    Fable Fern Flint Forge Garnet Glade Granite Grove Harbor Hazel Helio Indigo Iron Juniper Kelp Lantern Larch
    Linden Lumen Maple Marble Meadow Mesa Nimbus North Oak Onyx Orchard Osprey Pebble Pine Prism Quarry Quill Raven
    Ridge River Rowan Sable Sage Sierra Silver Slate Solar Spruce Summit Teal Thistle Timber Umber Vale Velvet
    Walnut Willow Wren Zephyr"""
)

COMPANY_SECOND = words(
    """Analytics Biotech Capital Cloud Commerce Data Digital Dynamics Energy Foods Freight Health Insights Labs
    Learning Logistics Media Metrics Mobility Networks Payments Robotics Security Software Systems Textiles Travel
    Ventures Works"""
)


class Trade(NamedTuple):
    """An industry with the keywords its companies carry."""

    name: str
    keywords: tuple[str, ...]


TRADES = (
    Trade("information technology & services", ("saas", "cloud", "b2b", "enterprise software")),
    Trade("computer software", ("saas", "developer tools", "api", "b2b")),
    Trade("financial services", ("fintech", "payments", "lending")),
    Trade("marketing & advertising", ("adtech", "agency", "content marketing")),
    Trade("hospital & health care", ("healthtech", "telemedicine", "patient data")),
    Trade("logistics & supply chain", ("freight", "warehousing", "last mile")),
    Trade("renewables & environment", ("solar", "energy storage", "climate")),
    Trade("e-learning", ("edtech", "courses", "training")),
    Trade("retail", ("ecommerce", "d2c", "marketplace")),
    Trade("biotechnology", ("genomics", "lab automation", "drug discovery")),
)

TECHNOLOGIES = (
    ("salesforce", "Salesforce", "CRM"),
    ("hubspot", "HubSpot", "Marketing Automation"),
    ("google_analytics", "Google Analytics", "Analytics and Tracking"),
    ("amazon_aws", "Amazon AWS", "Hosting"),
    ("slack", "Slack", "Collaboration"),
    ("shopify", "Shopify", "E-commerce Platforms"),
    ("wordpress_org", "Wordpress.org", "CMS"),
    ("stripe", "Stripe", "Payments"),
    ("zendesk", "Zendesk", "Support and Feedback"),
    ("segment_io", "Segment.io", "Analytics and Tracking"),
    ("react", "React", "Frameworks"),
    ("postgresql", "PostgreSQL", "Databases"),
)

FUNDING_STAGES = (None, "Seed", "Series A", None, "Series B", "Series C", None, "Series D")
HEADCOUNTS = (9, 34, 14, 180, 24, 45, 850, 12, 75, 19, 3200, 28, 48, 320, 10, 38, 120, 16, 6500, 22)


class Role(NamedTuple):
    """A title with the seniority, department and function that go with it."""

    title: str
    seniority: str
    department: str
    function: str


ROLES: tuple[tuple[Role, ...], ...] = (
    (
        Role("Founder & CEO", "founder", "c_suite", "entrepreneurship"),
        Role("Co-Founder", "founder", "c_suite", "entrepreneurship"),
        Role("Owner", "owner", "c_suite", "entrepreneurship"),
        Role("Founder", "founder", "c_suite", "entrepreneurship"),
        Role("Managing Partner", "partner", "c_suite", "consulting"),
    ),
    (
        Role("Chief Executive Officer", "c_suite", "c_suite", "operations"),
        Role("CTO", "c_suite", "c_suite", "engineering"),
        Role("Chief Financial Officer", "c_suite", "c_suite", "finance"),
        Role("Chief Marketing Officer", "c_suite", "c_suite", "marketing"),
        Role("COO", "c_suite", "c_suite", "operations"),
    ),
    (
        Role("VP Sales", "vp", "master_sales", "sales"),
        Role("Vice President of Engineering", "vp", "master_engineering_technical", "engineering"),
        Role("VP Marketing", "vp", "master_marketing", "marketing"),
        Role("Head of Growth", "head", "master_marketing", "marketing"),
        Role("Head of People", "head", "master_human_resources", "human_resources"),
    ),
    (
        Role("Director of Sales", "director", "master_sales", "sales"),
        Role("Marketing Director", "director", "master_marketing", "marketing"),
        Role("Director of Operations", "director", "master_operations", "operations"),
        Role("Engineering Director", "director", "master_engineering_technical", "engineering"),
    ),
    (
        Role("Sales Manager", "manager", "master_sales", "sales"),
        Role("Marketing Manager", "manager", "master_marketing", "marketing"),
        Role("Product Manager", "manager", "product_management", "product_management"),
        Role("Content Marketing Manager", "manager", "master_marketing", "marketing"),
        Role("Office Manager", "manager", "master_operations", "operations"),
    ),
    (
        Role("Senior Software Engineer", "senior", "master_engineering_technical", "engineering"),
        Role("Senior Account Executive", "senior", "master_sales", "sales"),
        Role("Senior Data Scientist", "senior", "master_engineering_technical", "engineering"),
    ),
    (
        Role("Software Engineer", "entry", "master_engineering_technical", "engineering"),
        Role("Sales Development Representative", "entry", "master_sales", "sales"),
        Role("Accountant", "entry", "master_finance", "finance"),
        Role("Marketing Intern", "intern", "master_marketing", "marketing"),
        Role("Customer Success Associate", "entry", "master_customer_service", "customer_service"),
    ),
)
