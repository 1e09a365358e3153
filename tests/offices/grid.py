"""Positions of the satellites' system as metres on the British National Grid, to some five metres.

The steps and constants are those of "A guide to coordinate systems in Great Britain" (Ordnance Survey): the Helmert
transformation of annexe B and the projection of annexe C.
"""

from dataclasses import dataclass
from math import atan2, cos, hypot, radians, sin, sqrt, tan


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid by its half axes in metres."""

    major: float
    minor: float

    @property
    def eccentricity(self) -> float:
        """The square of its eccentricity."""
        return 1 - self.minor**2 / self.major**2


_GRS80 = Ellipsoid(6378137.0, 6356752.3141)
_AIRY = Ellipsoid(6377563.396, 6356256.909)
_SHIFT = (-446.448, 125.157, -542.060)
_TURN = tuple(radians(seconds / 3600) for seconds in (-0.1502, -0.2470, -0.8421))
_SCALE = 20.4894e-6
_FALSE_EAST, _FALSE_NORTH = 400000.0, -100000.0
_ORIGIN_LATITUDE, _ORIGIN_LONGITUDE = radians(49), radians(-2)
_F0 = 0.9996012717


def to_grid(latitude: float, longitude: float) -> tuple[int, int]:
    """Easting and northing of a position in degrees."""
    x, y, z = _helmert(*_cartesian(radians(latitude), radians(longitude), _GRS80))
    phi, lam = _angles(x, y, z, _AIRY)
    return _project(phi, lam)


def _cartesian(phi: float, lam: float, body: Ellipsoid) -> tuple[float, float, float]:
    nu = body.major / sqrt(1 - body.eccentricity * sin(phi) ** 2)
    return nu * cos(phi) * cos(lam), nu * cos(phi) * sin(lam), (1 - body.eccentricity) * nu * sin(phi)


def _helmert(x: float, y: float, z: float) -> tuple[float, float, float]:
    rx, ry, rz = _TURN
    scale = 1 + _SCALE
    return (
        _SHIFT[0] + scale * x - rz * y + ry * z,
        _SHIFT[1] + rz * x + scale * y - rx * z,
        _SHIFT[2] - ry * x + rx * y + scale * z,
    )


def _angles(x: float, y: float, z: float, body: Ellipsoid) -> tuple[float, float]:
    across = hypot(x, y)
    phi = atan2(z, across * (1 - body.eccentricity))
    for _ in range(10):
        nu = body.major / sqrt(1 - body.eccentricity * sin(phi) ** 2)
        phi = atan2(z + body.eccentricity * nu * sin(phi), across)
    return phi, atan2(y, x)


def _project(phi: float, lam: float) -> tuple[int, int]:
    e2 = _AIRY.eccentricity
    nu = _AIRY.major * _F0 / sqrt(1 - e2 * sin(phi) ** 2)
    rho = _AIRY.major * _F0 * (1 - e2) / (1 - e2 * sin(phi) ** 2) ** 1.5
    eta2 = nu / rho - 1
    east, t2, c = lam - _ORIGIN_LONGITUDE, tan(phi) ** 2, cos(phi)
    north_terms = (
        _meridian(phi) + _FALSE_NORTH,
        nu / 2 * sin(phi) * c,
        nu / 24 * sin(phi) * c**3 * (5 - t2 + 9 * eta2),
        nu / 720 * sin(phi) * c**5 * (61 - 58 * t2 + t2**2),
    )
    east_terms = (
        nu * c,
        nu / 6 * c**3 * (nu / rho - t2),
        nu / 120 * c**5 * (5 - 18 * t2 + t2**2 + 14 * eta2 - 58 * t2 * eta2),
    )
    northing = sum(term * east ** (2 * power) for power, term in enumerate(north_terms))
    easting = _FALSE_EAST + sum(term * east ** (2 * power + 1) for power, term in enumerate(east_terms))
    return round(easting), round(northing)


def _meridian(phi: float) -> float:
    n = (_AIRY.major - _AIRY.minor) / (_AIRY.major + _AIRY.minor)
    less, more = phi - _ORIGIN_LATITUDE, phi + _ORIGIN_LATITUDE
    return (
        _AIRY.minor
        * _F0
        * (
            (1 + n + 5 / 4 * (n**2 + n**3)) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * sin(less) * cos(more)
            + 15 / 8 * (n**2 + n**3) * sin(2 * less) * cos(2 * more)
            - 35 / 24 * n**3 * sin(3 * less) * cos(3 * more)
        )
    )
