"""The users of the tenant, most of whom are subjects of some run."""

import re
from datetime import date, timedelta

from gateway.sandbox.data.identifiers import GuidSeries, mix
from gateway.sandbox.data.model import Row, words
from gateway.sandbox.data.rows import LazyRows, ListRows, Rows
from gateway.sandbox.data.timestamps import format_ticks, ticks_of

_RULE = re.compile(r"\(?\s*(\w+)\s+eq\s+'([^']*)'\s*\)?")
_SMALLEST = 8
_TEAM = 5

_GIVEN = words(
    "Adele Alex Amara Bianca Carlos Chen Dana Diego Elif Emeka Fatima Grady Hanna Henrietta "
    "Irvin Isaiah Joni Jonas Kenji Lee Lidia Lynne Megan Miriam Nadia Nestor Olga Patti Pradeep "
    "Priya Rosa Samir Sofia Tomas Vera Wei Yusuf Zoe"
)
_SURNAMES = words(
    "Abara Bowen Castillo Dogan Eriksen Fernandez Gupta Haddad Ivanova Johansen Kowalski Lange "
    "Martinez Nakamura O'Brien Okafor Pereira Quinn Rossi Sherman Takahashi Uddin Vance Wilber "
    "Xu Young Zielinski"
)
_PLACES = (
    ("Oslo", "Norway", "NO", "nb-NO"),
    ("Madrid", "Spain", "ES", "es-ES"),
    ("Seattle", "United States", "US", "en-US"),
    ("Sydney", "Australia", "AU", "en-AU"),
    ("Osaka", "Japan", "JP", "ja-JP"),
)
_DEPARTMENTS = (
    ("Marketing", "Marketing Assistant"),
    ("Sales", "Account Manager"),
    ("Engineering", "Software Engineer"),
    ("Finance", "Financial Analyst"),
    ("Human Resources", "HR Partner"),
    ("Legal", "Paralegal"),
)


def _department(number: int) -> tuple[str, str]:
    return _DEPARTMENTS[(number >> 24) % len(_DEPARTMENTS)]


class _Users(Rows):
    def __init__(self, directory: "Directory", *, deleted: bool) -> None:
        self.directory = directory
        self.deleted = deleted
        self.places = [n for n in range(directory.size) if directory.is_deleted(n) is deleted]

    def __len__(self) -> int:
        return len(self.places)

    def at(self, position: int) -> Row:
        return self.directory.at(self.places[position])

    def find(self, key: str) -> Row | None:
        return self.directory.find(key, deleted=self.deleted)


class Directory:
    """A tree of users that follows from a seed; some are deleted, if there are `deletions`.

    The position of a user is its place in the tree: the manager of n is (n - 1) // 5.
    """

    def __init__(self, seed: int, users: int, *, deletions: bool = True) -> None:
        self.seed = seed
        self.size = max(users + users // 2, _SMALLEST)
        self.deletions = deletions and users >= _TEAM
        self.series = GuidSeries(f"users/{seed}")
        self.known: dict[int, Row] = {}
        self.extra: dict[str, Row] = {}
        self.departments: dict[str, list[int]] = {}

    def id_at(self, position: int) -> str:
        """Return the id of a user, whether deleted or not."""
        return self.series.id_at(position)

    def _deleted_at(self, position: int) -> str | None:
        day = date(2026, 6, 1) + timedelta(days=position % 28)
        return format_ticks(ticks_of(day)) if self.is_deleted(position) else None

    def is_deleted(self, position: int) -> bool:
        """Say whether the user has left the directory; its id stays in the results."""
        return self.deletions and position % 23 == _TEAM

    def position_of(self, key: str, deleted: bool = False) -> int | None:
        """Return the position of the user `key`, who is deleted or not as asked."""
        position = self.series.position_of(key, self.size)
        return position if position is not None and self.is_deleted(position) is deleted else None

    def find(self, key: str, deleted: bool = False) -> Row | None:
        """Return the user `key` with every property, if it is in the directory (or was)."""
        if key in self.extra and not deleted:
            return self.extra[key]
        position = self.position_of(key, deleted)
        return None if position is None else self.at(position)

    def of_department(self, department: str) -> Rows:
        """Return everyone in a department who is not deleted."""
        if department not in self.departments:
            places = range(self.size)
            self.departments[department] = [
                n for n in places if _department(mix(self.seed, n))[0] == department
            ]
        staff = [n for n in self.departments[department] if not self.is_deleted(n)]
        return LazyRows(len(staff), lambda n: self.at(staff[n]), lambda _: None)

    def matching(self, rule: str) -> Rows:
        """Return everyone who is not deleted and whom a rule `(member eq 'value')` holds for."""
        match = _RULE.fullmatch(rule.strip())
        if match is None:
            return ListRows()
        if match[1] == "department":
            return self.of_department(match[2])
        return ListRows([user for user in self.users() if user.get(match[1]) == match[2]])

    def find_named(self, members: Row) -> Row | None:
        """Return the first user whose members have these values, ignoring case."""
        wanted = {name: str(value).casefold() for name, value in members.items()}
        user: Row
        for user in (*self.extra.values(), *self.users()):
            if all(str(user.get(name)).casefold() == value for name, value in wanted.items()):
                return user
        return None

    def users(self) -> Rows:
        """Return everyone in the directory who is not deleted."""
        return _Users(self, deleted=False)

    def deleted_users(self) -> Rows:
        """Return everyone who was deleted and is still kept."""
        return _Users(self, deleted=True)

    def manager_of(self, key: str) -> Row | None:
        """Return the manager of the user `key`; the first user has none."""
        position = self.position_of(key)
        while position:
            position = (position - 1) // _TEAM
            if not self.is_deleted(position):
                return self.at(position)
        return None

    def at(self, position: int) -> Row:
        """Return the user at `position` with every property."""
        if position not in self.known:
            self.known[position] = self._build(position)
        return self.known[position]

    def _build(self, position: int) -> Row:
        number = mix(self.seed, position)
        given = _GIVEN[number % len(_GIVEN)]
        surname = _SURNAMES[(number >> 8) % len(_SURNAMES)]
        city, country, usage, language = _PLACES[(number >> 16) % len(_PLACES)]
        department, title = _department(number)
        plain = surname.replace("'", "")
        address = f"{given}.{plain}{position}@contoso.com".lower()
        hired = date(2018, 1, 1) + timedelta(days=(number >> 32) % 3000)
        leaves = (number >> 44) % 4 == 0
        return {
            "accountEnabled": not leaves,
            "businessPhones": [f"+1 425 555 {number % 10_000:04}"],
            "city": city,
            "companyName": "Contoso",
            "country": country,
            "createdDateTime": format_ticks(ticks_of(hired - timedelta(days=14))),
            "deletedDateTime": self._deleted_at(position),
            "department": department,
            "displayName": f"{given} {surname}",
            "employeeHireDate": format_ticks(ticks_of(hired)),
            "employeeId": f"{100_000 + position}",
            "employeeLeaveDateTime": format_ticks(ticks_of(date(2026, 7, 31))) if leaves else None,
            "employeeType": "Employee" if number >> 60 else "Contractor",
            "givenName": given,
            "id": self.id_at(position),
            "jobTitle": title,
            "mail": address,
            "mobilePhone": None,
            "officeLocation": f"{number % 30 + 1}/{(number >> 5) % 4000}",
            "preferredLanguage": language,
            "surname": surname,
            "usageLocation": usage,
            "userPrincipalName": address,
            "userType": "Member",
        }
